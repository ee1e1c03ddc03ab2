namespace TransferPipeline.Images.Augmentations;

/// <summary>One random change of a photo, with torchvision's name, parameters and distribution.</summary>
internal abstract record Augmentation
{
    /// <summary>Name and parameters; part of a feature set's recipe.</summary>
    public abstract override string ToString();

    /// <exception cref="UsageException">A parameter is out of its range.</exception>
    internal abstract void Validate();

    /// <summary>Draws parameters and changes the canvas' picture.</summary>
    internal abstract void Apply(AugmentationCanvas canvas, ref RandomStream random);
}
