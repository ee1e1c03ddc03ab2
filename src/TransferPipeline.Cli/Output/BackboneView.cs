using System.Globalization;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;

namespace TransferPipeline.Cli.Output;

/// <summary>A backbone's layers or candidate cuts as a table.</summary>
internal static class BackboneView
{
    public static void WriteCuts(Backbone backbone, bool json)
    {
        var candidates = backbone.Candidates();
        if (json)
            Json.Write(candidates);
        else
            Tables.Write(
                ["cut", "made by", "shape", ">values", ">pooled", ">parameters above", ">multiply-adds below", ">above", ""],
                candidates.Select(c =>
                    new[]
                    {
                        c.Tensor,
                        c.Operator,
                        Shape(c.Shape),
                        Number(c.Length),
                        Number(c.Pooled),
                        Number(c.ParametersAbove),
                        Number(c.MultiplyAddsBelow),
                        Number(c.MultiplyAddsAbove),
                        string.Join(", ", new[] { c.Alias, c.TuningAlias }.Where(a => a.Length > 0)),
                    }
                )
            );
    }

    /// <param name="model">Where the backbone comes from, with its preprocessing.</param>
    /// <param name="requests">The cuts to show; without any the default one.</param>
    public static void WriteLayers(Backbone backbone, bool json, ResolvedModel model, params IReadOnlyList<CutRequest> requests)
    {
        var summary = backbone.Summarize(requests);
        var feature = Feature(backbone);
        if (json)
        {
            Json.Write(
                new
                {
                    backbone.File,
                    backbone.Sha256,
                    backbone.Input,
                    backbone.Opset,
                    backbone.Classes,
                    Cut = summary.Layers.FirstOrDefault(l => l.Cut.Length > 0)?.Tensor,
                    Feature = feature,
                    model.Preprocessing,
                    PreprocessingSource = model.PreprocessingReason,
                    summary.Parameters,
                    summary.MultiplyAdds,
                    summary.ParametersToCut,
                    summary.MultiplyAddsToCut,
                    summary.Layers,
                }
            );
            return;
        }

        Tables.Write(
            ["layer", "operator", "output shape", ">parameters", ">multiply-adds", ""],
            summary.Layers.Select(l =>
                new[] { l.Name, l.Operator, Shape(l.Shape), Number(l.Parameters), Number(l.MultiplyAdds), Mark(summary, l) }
            )
        );
        Console.WriteLine($"{backbone.File}: SHA-256 {backbone.Sha256}, opset {backbone.Opset}");
        var batch = backbone.Input.Batch is { } photos ? $"fixed at {photos}" : "dynamic";
        Console.WriteLine(
            $"input {backbone.Input.Name}: {Shape(backbone.Input.Shape(1))} {backbone.Input.ElementType}, batch {batch}; "
                + $"{(backbone.HasClassifier ? $"{backbone.Classes} classes" : "no classifier")}"
        );
        Console.WriteLine($"preprocessing: {model.PreprocessingReason}");
        var cuts = string.Join(", ", summary.Layers.Where(l => l.Cut.Length > 0).Select(l => $"'{l.Tensor}'"));
        Console.WriteLine(
            $"whole: {Number(summary.Parameters)} parameters, {Number(summary.MultiplyAdds)} multiply-adds per photo"
                + (
                    cuts.Length > 0
                        ? $"; to the cut {cuts}: {Number(summary.ParametersToCut)} parameters, {Number(summary.MultiplyAddsToCut)} "
                            + $"multiply-adds"
                        : ""
                )
        );
        if (feature is not null)
            Console.WriteLine($"feature: {feature}");
    }

    private static string Mark(BackboneSummary summary, LayerRow layer) =>
        layer.Cut.Length > 0 ? $"<- cut: {layer.Cut}"
        : layer.Kept || summary.Layers.All(l => l.Cut.Length == 0) ? ""
        : "removed";

    /// <summary>
    /// Which output is the feature of a model without a classifier, or what the user must choose; null with a classifier.
    /// </summary>
    private static string? Feature(Backbone backbone)
    {
        try
        {
            return backbone.FeatureNote(CutRequest.Default);
        }
        catch (UsageException e)
        {
            // Not an error here: what the user must choose is what inspect shows.
            return e.Message;
        }
    }

    private static string Shape(IReadOnlyList<long> shape) => string.Join(" x ", shape);

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
