namespace TransferPipeline;

/// <summary>
/// Makes a property of a record an option: command line, YAML, schema, help and documents read it here. The property's type is the
/// option's (double, int, bool, string or an enum), its value in a new record the default.
/// </summary>
/// <param name="name">Name in commands (with <c>--</c> before it) and pipelines.</param>
/// <param name="help">What it does, one line.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string name, string help) : Attribute
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

    /// <summary>The words that a text may be, separated by <c>|</c>; null for any.</summary>
    public string? Words { get; init; }

    /// <summary>Regular expression of a valid text, for editors; null for any.</summary>
    public string? Pattern { get; init; }

    /// <summary>Its name on the command line where that differs, for a command that had it first.</summary>
    public string? CommandName { get; init; }

    /// <summary>What stands for a text in the command's help, such as <c>PATH</c>; null for <c>NAME</c>.</summary>
    public string? ValueName { get; init; }

    /// <summary>Whether a flag is given as <c>on</c> or <c>off</c> on the command line, in place of its name alone.</summary>
    public bool Switch { get; init; }
}
