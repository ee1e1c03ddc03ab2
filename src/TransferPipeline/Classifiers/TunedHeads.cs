using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Onnx;

namespace TransferPipeline.Classifiers;

/// <summary>Reads the head out of a classifier file that a fine-tuning wrote, for comparisons with heads on frozen features.</summary>
internal static class TunedHeads
{
    /// <summary>The head of a classifier and what the classifier states of itself.</summary>
    /// <exception cref="BadInputException">The file is no classifier, or its head was not trained with its backbone.</exception>
    public static (LinearHead Head, ClassifierInfo Info) Read(string file, FitReport? fit = null)
    {
        var onnx = OnnxFile.Read(file);
        var info = ClassifierInfo.ReadFrom(onnx.File, onnx.Model);
        if (info.Head != Tuned.HeadName)
            throw new BadInputException(
                $"{file}: its head is {info.Head}, which 'transfer compare' trains itself; expected a classifier of 'transfer finetune'"
            );
        var graph = onnx.Model.Graph;
        var index = new GraphIndex(graph, graph.Input[0].Name);
        var tensor = ClassifierExport.ProbabilitiesOutput;
        // The export adds Softmax, and Identity where an output has to have its own name.
        while (index.Producer(tensor) is { OpType: "Identity" or "Softmax" } node)
            tensor = node.Input[0];
        if (
            index.Producer(tensor) is not { OpType: "Gemm", Input: [_, var weights, var bias] }
            || index.Initializer(weights) is not { } w
            || index.Initializer(bias) is not { } b
        )
            throw new BadInputException($"{file}: expected a linear layer before its probabilities; was the file changed?");
        return (Tuned.Head(TensorData.Floats(w), TensorData.Floats(b), file, fit), info);
    }

    /// <summary>A set with the head of a classifier on the same backbone.</summary>
    /// <param name="fit">How it was trained, where that is known; the file does not contain it.</param>
    /// <exception cref="BadInputException">The classifier's recipe is not the set's, or its classes are others.</exception>
    public static FeatureSource On(FeatureSource source, FeatureSet set, string file, FitReport? fit = null)
    {
        var (head, info) = Read(file, fit);
        if (Difference(set, info) is { } difference)
            throw new BadInputException(
                $"{file}: its backbone's {difference.Field} is {difference.Old}, that of {set.Folder} is {difference.New}; "
                    + $"extract the set with "
                    + "the tuned backbone"
            );
        if (!info.Labels.SequenceEqual(source.Data.Classes))
            throw new BadInputException($"{file}: its classes are {string.Join(", ", info.Labels)}; {set.Folder} has others");
        return source with { Trained = [.. source.Trained, Spec(head, source.Data)] };
    }

    /// <summary>Whether a set was extracted with a classifier's backbone.</summary>
    public static bool Fits(FeatureSet set, ClassifierInfo info) => Difference(set, info) is null;

    /// <summary>The head as one of a comparison.</summary>
    public static HeadSpec Spec(LinearHead head, FeatureData data) =>
        HeadSpec.Create(new TunedTrainer(head, data.RowsOf(Splits.Train, views: true).Length)) with
        {
            Options = head.Options,
        };

    private static RecipeDifference? Difference(FeatureSet set, ClassifierInfo info) =>
        set
            .Recipe.Fields()
            // The name changes no vector, and views are copies of training photos beside the photos themselves.
            .Where(f => f.Key is not ("model" or "views" or "augmentation"))
            .Select(f => new RecipeDifference(f.Key, info.Recipe.GetValueOrDefault(f.Key, "unknown"), f.Value))
            .FirstOrDefault(d => d.Old != d.New);
}
