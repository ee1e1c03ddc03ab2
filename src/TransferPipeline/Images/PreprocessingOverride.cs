namespace TransferPipeline.Images;

/// <summary>Changes to a model's preprocessing, of the command line, a pipeline or a program; null keeps the model's.</summary>
public sealed record PreprocessingOverride
{
    /// <summary>Short side in pixels, or height and width when two are given; empty for no resize.</summary>
    public IReadOnlyList<int>? Resize { get; init; }

    /// <summary>Centre crop in pixels: one side, or height and width.</summary>
    public IReadOnlyList<int>? Crop { get; init; }

    /// <summary>Filter of the resize.</summary>
    public Interpolation? Interpolation { get; init; }

    /// <summary>Per channel R, G, B, of values in 0..1; makes the form (x / 255 - mean) / std.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>Per channel R, G, B, of values in 0..1.</summary>
    public IReadOnlyList<double>? Std { get; init; }

    /// <summary>Of the form (x - offset) / divisor, in levels 0..255.</summary>
    public double? Offset { get; init; }

    /// <summary>Of the form (x - offset) / divisor, in levels 0..255.</summary>
    public double? Divisor { get; init; }

    /// <summary>Channels in the order B, G, R.</summary>
    public bool? Bgr { get; init; }

    /// <summary>It states what the values of the pixels become.</summary>
    internal bool Normalizes => Mean is not null || Std is not null || Offset is not null || Divisor is not null;

    /// <summary>The model's preprocessing with these changes.</summary>
    /// <exception cref="UsageException">An offset without a divisor, which would change nothing, or both forms of
    /// normalization.</exception>
    public Preprocessing Apply(Preprocessing model)
    {
        if ((Mean is not null || Std is not null) && (Offset is not null || Divisor is not null))
            throw new UsageException(
                "preprocessing: give either mean and std, of (x / 255 - mean) / std, or offset and divisor, of (x - offset) / divisor"
            );
        if (Offset is not null && (Divisor ?? model.Divisor) == 0)
            throw new UsageException(
                "preprocessing: the offset of (x - offset) / divisor needs a divisor, which this model's own preprocessing has not"
            );
        var result = model;
        if (Resize is [var shortSide])
            result = result with { ResizeShortSide = shortSide, ResizeWidth = 0, ResizeHeight = 0 };
        else if (Resize is [var height, var width])
            result = result with { ResizeShortSide = 0, ResizeHeight = height, ResizeWidth = width };
        else if (Resize is [])
            result = result with { ResizeShortSide = 0, ResizeHeight = 0, ResizeWidth = 0 };
        // Height first, as in torchvision; a single side is both.
        if (Crop is { Count: > 0 })
            result = result with { CropHeight = Crop[0], CropWidth = Crop[^1] };
        return result with
        {
            Interpolation = Interpolation ?? result.Interpolation,
            Mean = Mean ?? result.Mean,
            Std = Std ?? result.Std,
            Offset = Offset ?? result.Offset,
            // A divisor selects the other form: with the model's one left in place, a new mean would have no effect.
            Divisor = Divisor ?? (Mean is null && Std is null ? result.Divisor : 0),
            Bgr = Bgr ?? result.Bgr,
        };
    }
}
