using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>
/// What may follow a classifier, and the forms in which one is written; each cut is compared with the whole model's own tensor.
/// </summary>
public sealed partial class HeadFormTests : IDisposable
{
    private const int Photos = 3;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("log-softmax written out")]
    [InlineData("softmax of a product with a reciprocal")]
    [InlineData("batch normalization")]
    [InlineData("scores by Log")]
    [InlineData("argmax and labels")]
    [InlineData("top 3 of a sigmoid")]
    [InlineData("threshold")]
    [InlineData("one-hot of argmax")]
    [InlineData("averaged heads of one feature")]
    [InlineData("mean of three heads")]
    [InlineData("mean of stacked heads")]
    [InlineData("joined heads, one softmax each")]
    [InlineData("operator of another domain")]
    [InlineData("if around a squeeze")]
    [InlineData("tanh over few classes")]
    [InlineData("temperature and clip before softmax")]
    [InlineData("probabilities of coarser classes")]
    [InlineData("probabilities of coarser classes, by Gemm")]
    public void Cut_WhatFollowsTheClassifier_IsPassedOver(string form)
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var logits = m.Gemm(feature, 8, SmallModel.Classes);
        long[] axis = [1];
        switch (form)
        {
            case "log-softmax written out":
                var shifted = m.Node("Sub", logits, m.Node("ReduceMax", [logits], ("axes", axis)));
                m.Output(m.Node("Sub", shifted, m.Node("Log", m.Node("ReduceSum", [m.Node("Exp", shifted)], ("axes", axis)))));
                break;
            case "softmax of a product with a reciprocal":
                var powers = m.Node("Exp", logits);
                m.Output(m.Node("Mul", powers, m.Node("Reciprocal", m.Node("ReduceSum", [powers], ("axes", axis)))));
                break;
            case "batch normalization":
                m.Output(
                    m.Node(
                        "BatchNormalization",
                        [logits, m.Weights(1, 7), m.Weights(1, 7), m.Weights(1, 7), m.Graph.Constant("variance", [1f, 2, 3, 4, 5, 6, 7], 7)]
                    )
                );
                break;
            case "probabilities of coarser classes":
                m.Output(m.Node("MatMul", m.Node("Softmax", logits), m.Weights(1, 7, 3)), -1, 3);
                break;
            case "probabilities of coarser classes, by Gemm":
                m.Output(m.Node("Log", m.Node("Gemm", m.Node("Softmax", logits), m.Weights(1, 7, 3), m.Weights(1, 3))), -1, 3);
                break;
            case "scores by Log":
                m.Output(m.Node("Log", m.Node("Softmax", logits)));
                break;
            case "argmax and labels":
                var best = m.Node("ArgMax", [m.Node("Softmax", logits)], ("axis", 1L));
                m.Model.Graph.Output.Add(
                    new ValueInfoProto
                    {
                        Name = m.Graph.Nodes(
                            "LabelEncoder",
                            "ai.onnx.ml",
                            1,
                            [best],
                            ("keys_int64s", new long[] { 0, 1 }),
                            ("values_strings", new[] { "a", "b" })
                        )[0],
                    }
                );
                break;
            case "top 3 of a sigmoid":
                foreach (var top in m.Graph.Nodes("TopK", "", 2, [m.Node("Sigmoid", logits), m.Shape(3)]))
                    m.Model.Graph.Output.Add(new ValueInfoProto { Name = top });
                break;
            case "threshold":
                m.Model.Graph.Output.Add(new ValueInfoProto { Name = m.Node("Greater", m.Node("Sigmoid", logits), m.Scalar(0.5f)) });
                break;
            case "one-hot of argmax":
                m.Output(
                    m.Node(
                        "OneHot",
                        [m.Node("ArgMax", [logits], ("axis", 1L), ("keepdims", 0L)), m.Shape(7), m.Graph.Constant("off_on", [0f, 1f], 2)]
                    )
                );
                break;
            case "averaged heads of one feature":
                m.Output(m.Node("Div", m.Node("Add", logits, m.Gemm(feature, 8, SmallModel.Classes)), m.Scalar(2)));
                break;
            case "mean of three heads":
                m.Output(
                    m.Node(
                        "Softmax",
                        m.Node("Mean", logits, m.Gemm(feature, 8, SmallModel.Classes), m.Gemm(feature, 8, SmallModel.Classes))
                    )
                );
                break;
            case "mean of stacked heads":
                // torch.stack([...]).mean(0)
                long[] front = [0];
                string[] stacked =
                [
                    .. new[] { logits, m.Gemm(feature, 8, SmallModel.Classes) }.Select(h => m.Node("Unsqueeze", [h], ("axes", front))),
                ];
                m.Output(m.Node("ReduceMean", [m.Node("Concat", stacked, ("axis", 0L))], ("axes", front), ("keepdims", 0L)));
                break;
            case "joined heads, one softmax each":
                m.Output(m.Node("Concat", [m.Node("Softmax", logits), m.Node("Softmax", m.Gemm(feature, 8, 5))], ("axis", 1L)), -1, 12);
                break;
            case "operator of another domain":
                m.Model.Graph.Output.Add(
                    new ValueInfoProto { Name = m.Graph.Nodes("Decode", "org.example", 1, [m.Node("Softmax", logits), m.Shape(7)])[0] }
                );
                break;
            case "if around a squeeze":
                m.Output(
                    If(
                        m,
                        Branch(
                            "then",
                            m.Graph.Unique("a"),
                            n => new NodeProto
                            {
                                OpType = "Squeeze",
                                Input = { logits },
                                Output = { n },
                            }
                        ),
                        Branch(
                            "else",
                            m.Graph.Unique("b"),
                            n => new NodeProto
                            {
                                OpType = "Identity",
                                Input = { logits },
                                Output = { n },
                            }
                        )
                    )
                );
                break;
            case "tanh over few classes":
                m.Output(m.Node("Tanh", logits));
                break;
            default:
                m.Output(m.Node("Softmax", m.Node("Clip", m.Node("Div", logits, m.Scalar(0.3f)), m.Scalar(-9), m.Scalar(9))));
                break;
        }

        AssertCut(m, feature);
    }

    [Theory]
    [InlineData("weights on the left of a Gemm")]
    [InlineData("weights in a Constant of floats")]
    [InlineData("function within a function")]
    [InlineData("function with its head's pooling inside")]
    [InlineData("layer inside an If")]
    [InlineData("layer inside an If, its weights too")]
    [InlineData("classifier of ai.onnx.ml")]
    public void Cut_FormOfTheClassifier_IsRecognized(string form)
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", map));
        switch (form)
        {
            case "weights on the left of a Gemm":
                var columns = m.Node(
                    "Gemm",
                    [m.Weights(1, 8, SmallModel.Classes), m.Node("Transpose", [feature], ("perm", new long[] { 1, 0 }))],
                    ("transA", 1L)
                );
                m.Output(m.Node("Transpose", [columns], ("perm", new long[] { 1, 0 })));
                break;
            case "weights in a Constant of floats":
                m.Output(
                    m.Node("MatMul", feature, m.Node("Reshape", m.Node("Constant", [], ("value_floats", m.Random(1, 56))), m.Shape(8, 7)))
                );
                break;
            case "function within a function":
                m.Model.Functions.Add(
                    Function(
                        "Linear",
                        ["a", "w", "b"],
                        "y",
                        new NodeProto
                        {
                            OpType = "Gemm",
                            Input = { "a", "w", "b" },
                            Output = { "y" },
                            Attribute =
                            {
                                new AttributeProto
                                {
                                    Name = "transB",
                                    RefAttrName = "turned",
                                    Type = AttributeProto.Types.AttributeType.Int,
                                },
                            },
                        },
                        "turned"
                    )
                );
                m.Model.Functions.Add(
                    Function(
                        "Head",
                        ["x", "w", "b"],
                        "y",
                        new NodeProto
                        {
                            OpType = "Linear",
                            Domain = "local",
                            Input = { "x", "w", "b" },
                            Output = { "y" },
                            Attribute = { OnnxAttributes.Create("turned", 1L) },
                        }
                    )
                );
                m.Output(
                    m.Graph.Nodes("Head", "local", 1, [feature, m.Weights(1, SmallModel.Classes, 8), m.Weights(1, SmallModel.Classes)])[0]
                );
                break;
            case "function with its head's pooling inside":
                var nodes = new[]
                {
                    new NodeProto
                    {
                        OpType = "GlobalAveragePool",
                        Input = { "x" },
                        Output = { "pooled" },
                    },
                    new NodeProto
                    {
                        OpType = "Flatten",
                        Input = { "pooled" },
                        Output = { "flat" },
                    },
                    new NodeProto
                    {
                        OpType = "Gemm",
                        Input = { "flat", "w" },
                        Output = { "y" },
                    },
                };
                var function = Function("Head", ["x", "w"], "y", nodes[0]);
                function.Node.AddRange(nodes[1..]);
                m.Model.Functions.Add(function);
                m.Output(m.Graph.Nodes("Head", "local", 1, [map, m.Weights(1, 8, SmallModel.Classes)])[0]);
                break;
            case "layer inside an If":
                var (w, b) = (m.Weights(1, 8, SmallModel.Classes), m.Weights(1, SmallModel.Classes));
                m.Output(
                    If(
                        m,
                        Branch(
                            "then",
                            m.Graph.Unique("a"),
                            n => new NodeProto
                            {
                                OpType = "Gemm",
                                Input = { feature, w, b },
                                Output = { n },
                            }
                        ),
                        Branch(
                            "else",
                            m.Graph.Unique("b"),
                            n => new NodeProto
                            {
                                OpType = "MatMul",
                                Input = { feature, w },
                                Output = { n },
                            }
                        )
                    )
                );
                break;
            case "layer inside an If, its weights too":
                var (then, otherwise) = (Product("then", m.Graph.Unique("a")), Product("else", m.Graph.Unique("b")));
                // Names of the branches are their own: both have 'inner'.
                then.Initializer.Add(TensorData.Of("inner", m.Random(1, 8, SmallModel.Classes), [8, SmallModel.Classes]));
                otherwise.Initializer.Add(then.Initializer[0].Clone());
                m.Output(If(m, then, otherwise));
                break;
            default:
                var scores = m.Graph.Nodes(
                    "LinearClassifier",
                    "ai.onnx.ml",
                    2,
                    [feature],
                    ("coefficients", m.Random(1, 56)),
                    ("intercepts", m.Random(1, 7)),
                    ("classlabels_ints", new long[] { 0, 1, 2, 3, 4, 5, 6 })
                );
                m.Model.Graph.Output.Add(new ValueInfoProto { Name = scores[0] });
                break;
        }

        if (form != "function with its head's pooling inside")
            AssertCut(m, feature);
        else
            AssertVectors(m, Backbone.Open(m.Save(_folder)), feature);

        GraphProto Product(string name, string output) =>
            Branch(
                name,
                output,
                n => new NodeProto
                {
                    OpType = "MatMul",
                    Input = { feature, "inner" },
                    Output = { n },
                }
            );
    }

    /// <summary>Weights that exporters compute in the graph: the layer must still be seen as one with weights.</summary>
    [Theory]
    [InlineData("made by ConstantOfShape")]
    [InlineData("reshaped")]
    [InlineData("reshaped with an unknown length")]
    [InlineData("scaled")]
    [InlineData("unsqueezed")]
    [InlineData("squeezed")]
    public void Cut_WeightsThatAreComputed_AreWeights(string form)
    {
        var m = new SmallModel();
        var pooled = m.Node("GlobalAveragePool", m.Body(m.Input));
        string Unsqueezed(string x) => m.Node("Unsqueeze", x, m.Shape(-1, 3));
        var weights = form switch
        {
            "made by ConstantOfShape" => m.Node(
                "ConstantOfShape",
                [m.Shape(SmallModel.Classes, 8, 1, 1)],
                ("value", TensorData.Of("value", [0.5f], [1]))
            ),
            "reshaped" => m.Node("Reshape", m.Weights(1, SmallModel.Classes * 8), m.Shape(SmallModel.Classes, 8, 1, 1)),
            "reshaped with an unknown length" => m.Node("Reshape", m.Weights(1, SmallModel.Classes, 8), m.Shape(0, -1, 1, 1)),
            "scaled" => m.Node("Mul", m.Weights(1, SmallModel.Classes, 8, 1, 1), m.Weights(1, SmallModel.Classes, 1, 1, 1)),
            "unsqueezed" => Unsqueezed(m.Weights(1, SmallModel.Classes, 8)),
            _ => m.Node("Squeeze", m.Weights(1, 1, SmallModel.Classes, 8, 1, 1), m.Shape(0)),
        };
        m.Output(m.Node("Flatten", m.Node("Conv", pooled, weights, m.Weights(1, SmallModel.Classes))));
        AssertCut(m, pooled);
    }

    [Fact]
    public void Cut_ConvOverTheWholeMap_IsItsMap()
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        m.Output(
            m.Node(
                "Squeeze",
                m.Node("Conv", [map, m.Weights(1, SmallModel.Classes, 8, 3, 3), m.Weights(1, SmallModel.Classes)], ("auto_pad", "VALID")),
                m.Shape(2, 3)
            )
        );
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal((map, SmallModel.Classes), (backbone.Penultimate, backbone.Classes));
        Assert.Equal(72, backbone.Cut().Outputs[0].Dimension);
    }

    [Fact]
    public void Cut_DropoutInTrainingModeBeforeTheClassifier_IsPassedOver()
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(m.Node("Dropout", feature, m.Scalar(0.5f), True(m)), 8, SmallModel.Classes));
        AssertCut(m, feature);
    }

    private void AssertCut(SmallModel m, string feature)
    {
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal(feature, backbone.Penultimate);
        Assert.Null(backbone.FeatureNote(CutRequest.Default));
        AssertVectors(m, backbone, feature);
    }
}
