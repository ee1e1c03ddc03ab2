using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>Writes trees as one TreeEnsembleClassifier of ONNX's ai.onnx.ml operators.</summary>
internal static class ForestExport
{
    public static string Write(IGraphWriter graph, string features, Tree[] trees, int classCount)
    {
        var nodes = trees.Sum(t => t.Nodes);
        var (treeIds, nodeIds, featureIds, trueIds, falseIds) = (
            new long[nodes],
            new long[nodes],
            new long[nodes],
            new long[nodes],
            new long[nodes]
        );
        var (values, modes) = (new float[nodes], new string[nodes]);
        var votes = new List<(long Tree, long Node, long Class, float Share)>();
        var at = 0;
        for (var t = 0; t < trees.Length; t++)
        {
            var tree = trees[t];
            for (var n = 0; n < tree.Nodes; n++, at++)
            {
                (treeIds[at], nodeIds[at]) = (t, n);
                if (tree.Feature[n] >= 0)
                {
                    // "Less or equal" as in Tree.AddShares: a value on a threshold goes the same way in the file.
                    (modes[at], featureIds[at], values[at]) = ("BRANCH_LEQ", tree.Feature[n], tree.Threshold[n]);
                    (trueIds[at], falseIds[at]) = (n + 1, tree.Right[n]);
                    continue;
                }

                modes[at] = "LEAF";
                for (var i = tree.Right[n]; i < tree.End[n]; i++)
                    votes.Add((t, n, tree.Classes[i], tree.Shares[i]));

                // Of two classes of which one has no vote at all, ONNX Runtime 1.29 writes minus the other's sum and that sum: the first
                // tree gives each a vote, of 0.
                if (t == 0 && classCount == 2 && tree.End[n] - tree.Right[n] == 1)
                    votes.Add((t, n, 1 - tree.Classes[tree.Right[n]], 0));
            }
        }

        long[] labels = [.. Enumerable.Range(0, classCount).Select(c => (long)c)];
        var outputs = graph.Nodes(
            "TreeEnsembleClassifier",
            "ai.onnx.ml",
            2,
            [features],
            ("nodes_treeids", treeIds),
            ("nodes_nodeids", nodeIds),
            ("nodes_featureids", featureIds),
            ("nodes_values", values),
            ("nodes_modes", modes),
            ("nodes_truenodeids", trueIds),
            ("nodes_falsenodeids", falseIds),
            ("class_treeids", votes.Select(v => v.Tree).ToArray()),
            ("class_nodeids", votes.Select(v => v.Node).ToArray()),
            ("class_ids", votes.Select(v => v.Class).ToArray()),
            ("class_weights", votes.Select(v => v.Share).ToArray()),
            ("classlabels_int64s", labels),
            ("post_transform", "NONE")
        );

        // Whole shares are added and then divided, as the head does: equal votes stay equal.
        return graph.Node("Div", [outputs[1], graph.Constant("forest.trees", [(float)trees.Length], 1)]);
    }
}
