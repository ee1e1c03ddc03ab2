using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;
using TransferPipeline.Tuning;

namespace TransferPipeline.Jobs;

/// <summary>The outside libraries that a program may use, and which of them it uses.</summary>
public sealed partial record Toolbox
{
    internal Toolbox(
        AdapterRegistry<IImageDecoder> decoders,
        AdapterRegistry<IImageEncoder> encoders,
        AdapterRegistry<IParquetLibrary> parquetLibraries,
        IReadOnlyList<IHeadTrainer> trainers,
        ModelStore models
    ) => (Decoders, Encoders, ParquetLibraries, Trainers, Models) = (decoders, encoders, parquetLibraries, trainers, models);

    /// <summary>Decoders of photos.</summary>
    internal AdapterRegistry<IImageDecoder> Decoders { get; init; }

    /// <summary>Encoders of photos, by the same names as their decoders.</summary>
    internal AdapterRegistry<IImageEncoder> Encoders { get; init; }

    /// <summary>Readers and writers of Parquet files.</summary>
    internal AdapterRegistry<IParquetLibrary> ParquetLibraries { get; init; }

    /// <summary>All heads, those that cannot be used on this machine included.</summary>
    public IReadOnlyList<IHeadTrainer> Trainers { get; init; }

    /// <summary>Where backbones come from.</summary>
    internal ModelStore Models { get; init; }

    /// <summary>Name of the decoder that is used; null for the first one that works on this machine.</summary>
    internal string? DecoderName { get; init; }

    /// <summary>Name of the Parquet library that is used; null for the first one that works on this machine.</summary>
    internal string? ParquetName { get; init; }

    /// <summary>
    /// Fast decoders of plain JPEG that the decoder named <c>pillow</c> tries first, where one can be used; the pixels do not depend on it.
    /// </summary>
    internal AdapterRegistry<IJpegDecoder> JpegDecoders { get; init; } = new("JPEG decoder", []);

    /// <summary>Libraries that train backbones above a cut.</summary>
    internal AdapterRegistry<ITuner> Tuners { get; init; } = new("tuner", []);

    /// <exception cref="UsageException">The decoder cannot be used, or there is none of that name.</exception>
    public IImageDecoder Decoder => Decoders.Find(DecoderName).Instance;

    /// <summary>The decoder that gives the pixels which a recipe names; null when none here does.</summary>
    /// <param name="pixels">As <see cref="IImageDecoder.Name"/> has it, or as an earlier program wrote it.</param>
    internal IImageDecoder? DecoderOf(string pixels)
    {
        // The number in the name counts too:
        // a decoder whose pixels have changed would give other vectors than the recipe's.
        var wanted = Recipe.PixelsOf(pixels);
        return
            Decoders.Adapters.FirstOrDefault(a => a.Name == wanted.Split(' ')[0] && a.Problem is null)?.Instance is { } decoder
            && decoder.Name == wanted
            ? decoder
            : null;
    }

    /// <exception cref="UsageException">No encoder can be used.</exception>
    internal IImageEncoder Encoder => Encoders.Find().Instance;

    /// <exception cref="UsageException">The Parquet library cannot be used, or there is none of that name.</exception>
    internal IFeatureTable Table => ParquetLibraries.Find(ParquetName).Instance;

    /// <exception cref="UsageException">The Parquet library cannot be used, or there is none of that name.</exception>
    internal IPhotoTable PhotoTable => ParquetLibraries.Find(ParquetName).Instance;

    /// <summary>These tools with the adapters of those names; null leaves a choice as it is.</summary>
    /// <exception cref="BadInputException">There is none of that name, or it cannot be used; the message names the line.</exception>
    internal Toolbox With(AdapterRequest? decoder, AdapterRequest? parquet)
    {
        Check(Decoders, decoder);
        Check(ParquetLibraries, parquet);
        return this with { DecoderName = decoder?.Name ?? DecoderName, ParquetName = parquet?.Name ?? ParquetName };

        static void Check<T>(AdapterRegistry<T> registry, AdapterRequest? request)
            where T : class
        {
            try
            {
                if (request is not null && registry.Find(request.Name) is { Problem: { } problem })
                    throw new UsageException($"'{request.Name}' is not available: {problem}");
            }
            catch (UsageException e)
            {
                // The registry knows no pipeline, so the line is put in front of its message.
                throw new BadInputException($"{request!.Where}: {e.Message}", e);
            }
        }
    }

    /// <exception cref="UsageException">No head has that name; the nearest one is suggested.</exception>
    public IHeadTrainer Trainer(string name) => HeadCatalog.Find(name, Trainers);

    /// <summary>What an extraction of a dataset's photos with a model gives, on the CPU and without views unless more is stated.</summary>
    /// <param name="outputs">A cut and the folder of its feature set each.</param>
    /// <param name="preprocessing">Changes to the model's own.</param>
    /// <exception cref="UsageException">The model's pixels or feature are not clear.</exception>
    internal ExtractionSpec Specify(
        Dataset dataset,
        ResolvedModel model,
        IReadOnlyList<ExtractionOutput> outputs,
        PreprocessingOverride? preprocessing = null
    )
    {
        // A normalization that is given answers the question, which is about the unit of the pixels.
        if (model.Question is { } question && preprocessing?.Normalizes != true)
            throw new UsageException(question);
        var chosen = preprocessing?.Apply(model.Preprocessing) ?? model.Preprocessing;
        // By the tensor where a model has no classifier:
        // a default that is recognized otherwise later would mix two features.
        List<ExtractionOutput> named = [.. outputs.Select(o => o with { Request = model.Explicit(o.Request) })];
        return new()
        {
            Dataset = dataset,
            Decoder = Decoder,
            Table = Table,
            Model = model.Name,
            ModelSha256 = model.Sha256,
            Notes = [.. model.Notes(outputs.Select(o => o.Request)), .. Changes(model, chosen)],
            // Opened only when vectors are missing; an unchanged set needs no network.
            OpenModel = () =>
                Backbone.Open(model.File, new PhotoSize(chosen.OutputHeight, chosen.OutputWidth)).Cut([.. named.Select(o => o.Request)]),
            Outputs = named,
            Preprocessing = chosen,
        };
    }

    /// <summary>One line where the user's preprocessing is not the model's, which the other notes state.</summary>
    private static IEnumerable<string> Changes(ResolvedModel model, Preprocessing chosen)
    {
        var used = AssumedPreprocessing.Describe(chosen);
        if (used != AssumedPreprocessing.Describe(model.Preprocessing))
            yield return $"{Path.GetFileName(model.File)}: its preprocessing is changed to {used}";
    }
}
