namespace TransferPipeline.Heads.Common;

/// <summary>Base of the trainers of one kind of head, whose options are a record of type <typeparamref name="TOptions"/>.</summary>
public abstract class HeadTrainer<TOptions> : IHeadTrainer
    where TOptions : HeadOptions
{
    private readonly Lazy<IReadOnlyList<DeclaredOption>> _options;

    /// <param name="defaults">The record with its defaults.</param>
    protected HeadTrainer(TOptions defaults)
    {
        Defaults = defaults;
        // On demand: the catalog creates every trainer, and most commands read the options of few.
        _options = new(() => DeclaredOption.Of(Defaults));
    }

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Summary { get; }

    /// <inheritdoc/>
    public virtual string? Unavailable => null;

    /// <inheritdoc/>
    public virtual string? Missing => Unavailable;

    /// <inheritdoc/>
    public virtual string? NotExportable => null;

    /// <inheritdoc/>
    public HeadOptions Defaults { get; }

    // Explicit, because an implicit implementation must be public and DeclaredOption is not.
    IReadOnlyList<DeclaredOption> IHeadTrainer.Options => _options.Value;

    /// <inheritdoc/>
    public IHead Train(TrainingRows data, HeadOptions options, TrainingContext context)
    {
        var own = Checked(options);
        RequirePossible(data, own);
        return Fit(data, own, context);
    }

    /// <summary>Refuses values that do not suit the number of rows or of their values.</summary>
    private protected static void RequirePossible(TrainingRows data, TOptions options)
    {
        if (options.Impossible(data.Rows.Length, data.X.Columns) is { } problem)
            Throw.Usage(problem);
    }

    /// <summary>Trains one head; the options are within their limits.</summary>
    protected abstract IHead Fit(TrainingRows data, TOptions options, TrainingContext context);

    /// <summary>The options as this trainer's record, within their limits.</summary>
    /// <exception cref="UsageException">They are of another head, or a value is out of range.</exception>
    private protected TOptions Checked(HeadOptions options)
    {
        if (Unavailable is not null)
            throw new UsageException($"head '{Name}' is not available: {Unavailable}");
        // The exact type: softmax, logistic and linear-svm share TOptions, so `is` alone would
        // take each other's records.
        if (options is not TOptions own || own.GetType() != Defaults.GetType())
            throw new UsageException($"{Name} was given the options of {options.Trainer.Name}; expected those of {Name}");
        own.Check();
        return own;
    }
}

/// <summary>Base of trainers for which many values of one option cost little more than one.</summary>
internal abstract class HeadPathTrainer<TOptions> : HeadTrainer<TOptions>, IPathTrainer
    where TOptions : HeadOptions
{
    /// <param name="defaults">The record with its defaults.</param>
    protected HeadPathTrainer(TOptions defaults)
        : base(defaults) { }

    /// <inheritdoc/>
    public abstract string PathOption { get; }

    /// <inheritdoc/>
    public IReadOnlyList<IHead> TrainPath(TrainingRows data, HeadOptions options, IReadOnlyList<double> values, TrainingContext context)
    {
        var own = Checked(options);
        TOptions[] path = [.. values.Select(v => (TOptions)own.With(PathOption, v))];
        foreach (var value in path)
            RequirePossible(data, value);
        return FitPath(data, path, context);
    }

    /// <summary>Trains one head for each record, which differ in the path option alone.</summary>
    protected abstract IReadOnlyList<IHead> FitPath(TrainingRows data, IReadOnlyList<TOptions> path, TrainingContext context);

    /// <inheritdoc/>
    // A single fit is a path of one value, so that a path gives the heads of single fits.
    protected sealed override IHead Fit(TrainingRows data, TOptions options, TrainingContext context) =>
        FitPath(data, [options], context)[0];
}
