using TransferPipeline.Images;

namespace TransferPipeline.Backbones.Store;

/// <summary>What is known of a backbone besides its file; one YAML file in the models folder or beside the model.</summary>
internal sealed record ModelManifest
{
    /// <summary>Name in commands and pipelines.</summary>
    public required string Name { get; init; }

    /// <summary>File name under which it is stored; also its name on a mirror.</summary>
    public required string File { get; init; }

    public required long Bytes { get; init; }

    /// <summary>Lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>SPDX identifier.</summary>
    public required string License { get; init; }

    /// <summary>Addresses to download from, tried in this order.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>Side of the photos in pixels.</summary>
    public required int InputSize { get; init; }

    public TensorLayout Layout { get; init; } = TensorLayout.Nchw;

    public required Preprocessing Preprocessing { get; init; }

    /// <summary>What shows that the preprocessing is right, and what of it is inferred; one line.</summary>
    public string PreprocessingSource { get; init; } = "";

    /// <summary>The tensor that is the feature of an encoder without a classifier; empty otherwise.</summary>
    public string Cut { get; init; } = "";

    /// <summary>Where the weights come from and what else to know, one line.</summary>
    public string Note { get; init; } = "";
}
