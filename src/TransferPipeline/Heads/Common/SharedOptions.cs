namespace TransferPipeline.Heads.Common;

/// <summary>A head that may scale vectors before it sees them.</summary>
// Interfaces, since a record has one base and heads combine these options freely.
internal interface IScaledHead
{
    /// <summary>What is done to vectors first.</summary>
    [Option("scaling", "what is done to vectors first: nothing, StandardScaler, or division by their length")]
    ScalingKind Scaling { get; }
}

/// <summary>A head that may weight classes.</summary>
internal interface IWeightedHead
{
    /// <summary>Weights of classes as scikit-learn's <c>class_weight</c>: none, balanced, or pairs such as <c>cat:1,dog:2.5</c>.</summary>
    [Option(
        ClassWeights.Name,
        "none, balanced (rows / (classes x rows of the class)), or weights by name or number of a class such as cat:1,dog:2.5 or "
            + "0:1,3:2.5; others are 1"
    )]
    string ClassWeight { get; }
}
