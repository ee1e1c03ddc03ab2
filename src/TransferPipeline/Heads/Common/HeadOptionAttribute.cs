namespace TransferPipeline.Heads.Common;

/// <summary>
/// Makes a property of a <see cref="HeadOptions"/> record an option of the head: command line, YAML, schema, help and documents read it
/// here.
/// The property's type is the option's (double, int, bool, an enum or string), its value in a new record the default.
/// </summary>
/// <param name="name">Name in commands and pipelines: scikit-learn's, or the library's that trains.</param>
/// <param name="help">What it does, one line.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HeadOptionAttribute(string name, string help) : Attribute
{
    /// <summary>Name in commands and pipelines.</summary>
    public string Name => name;

    /// <summary>What the option does, one line.</summary>
    public string Help => help;

    /// <summary>Smallest valid number; <see cref="ExclusiveMin"/> excludes it.</summary>
    public double Min { get; init; } = double.NegativeInfinity;

    /// <summary>Largest valid number.</summary>
    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>Whether numbers must be greater than <see cref="Min"/>.</summary>
    public bool ExclusiveMin { get; init; }
}
