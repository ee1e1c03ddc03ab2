using System.Globalization;

namespace TransferPipeline.Heads.Common;

/// <summary>
/// A head with the values of its options: <c>new LinearSvm { C = 0.1 }</c>. Properties with an <see cref="OptionAttribute"/>
/// are its options, the values of a new record their defaults.
/// </summary>
public abstract record HeadOptions
{
    /// <summary>Trains heads of this kind.</summary>
    public abstract IHeadTrainer Trainer { get; }

    /// <summary>The options to fit with while values of sweeps are chosen, where accuracy alone counts.</summary>
    internal virtual HeadOptions ForSearch => this;

    /// <summary>
    /// Why no head can be trained with these values on so many rows of so many values, whatever they contain; null where nothing is
    /// known. It is asked before photos are extracted and before each fit.
    /// </summary>
    internal virtual string? Impossible(int rows, int columns) => null;

    /// <summary>All options in ordinal order of their names, as text.</summary>
    public IReadOnlyDictionary<string, string> Values
    {
        get
        {
            var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var option in Trainer.Options)
                values[option.Name] = option.TextOf(this);
            return values;
        }
    }

    /// <summary>Reads values from text; what is not given has its default.</summary>
    /// <exception cref="UsageException">A name is unknown (the nearest is suggested) or a value is out of range.</exception>
    public static HeadOptions Parse(IHeadTrainer trainer, IReadOnlyDictionary<string, string>? given = null)
    {
        var options = trainer.Defaults with { };
        // Set writes into the record, and all callers share the defaults: hence the copy.
        foreach (var (name, value) in given ?? new Dictionary<string, string>())
            Find(trainer, name).SetText(options, trainer.Name, value);
        return options;
    }

    /// <summary>The option of that name.</summary>
    /// <exception cref="UsageException">There is none; the nearest name is suggested.</exception>
    internal static DeclaredOption Find(IHeadTrainer trainer, string name) =>
        trainer.Options.FirstOrDefault(o => o.Name == name)
        ?? throw new UsageException(
            $"{trainer.Name} has no option '{name}'{NearestName.Hint(name, trainer.Options.Select(o => o.Name))} (options: "
                + $"{string.Join(", ", trainer.Options.Select(o => o.Name))})"
        );

    /// <summary>The same head with one value replaced.</summary>
    /// <exception cref="UsageException">The name is unknown or the value out of range.</exception>
    public HeadOptions With(string name, double value) => With(name, value.ToString("R", CultureInfo.InvariantCulture));

    /// <inheritdoc cref="With(string, double)"/>
    public HeadOptions With(string name, string value)
    {
        var changed = this with { };
        Find(Trainer, name).SetText(changed, Trainer.Name, value);
        return changed;
    }

    /// <summary>Refuses values out of range, as a record that was not read from text may have.</summary>
    /// <exception cref="UsageException">A value is out of range.</exception>
    public void Check()
    {
        foreach (var option in Trainer.Options)
            // By way of the text: limits are enforced in one place, the one that also reads commands.
            option.Check(Trainer.Name, option.TextOf(this));
    }

    /// <summary>Name and values, as in <c>linear-svm C=0.1</c>, of all options.</summary>
    // Sealed, because the compiler gives every derived record a ToString of its own otherwise.
    public sealed override string ToString() => string.Join(' ', [Trainer.Name, .. Values.Select(v => $"{v.Key}={v.Value}")]);
}
