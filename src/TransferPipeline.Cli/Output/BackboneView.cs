using System.Globalization;
using TransferPipeline.Backbones;

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
            Tables.Write(["cut", "made by", "shape", ">values", ">pooled", ""], candidates.Select(c => new[] { c.Tensor, c.Operator, Shape(c.Shape), Number(c.Length), Number(c.Pooled), c.Alias }));
    }

    /// <param name="requests">The cuts to show; without any the penultimate one.</param>
    public static void WriteLayers(Backbone backbone, bool json = false, params IReadOnlyList<CutRequest> requests)
    {
        var summary = backbone.Summarize(requests);
        if (json)
        {
            Json.Write(new { backbone.File, backbone.Sha256, backbone.Input, backbone.Opset, backbone.Classes, Cut = backbone.Penultimate, summary.Parameters, summary.MultiplyAdds, summary.ParametersToCut, summary.MultiplyAddsToCut, summary.Layers });
            return;
        }

        Tables.Write(["layer", "operator", "output shape", ">parameters", ">multiply-adds", ""], summary.Layers.Select(l => new[] { l.Name, l.Operator, Shape(l.Shape), Number(l.Parameters), Number(l.MultiplyAdds), l.Cut.Length > 0 ? $"<- cut: {l.Cut}" : l.Kept ? "" : "removed" }));
        Console.WriteLine($"{backbone.File}: SHA-256 {backbone.Sha256}, opset {backbone.Opset}");
        Console.WriteLine($"input {backbone.Input.Name}: {Shape(backbone.Input.Shape(1))}, batch {(backbone.Input.Batch == 0 ? "dynamic" : $"fixed at {backbone.Input.Batch}")}; {backbone.Classes} classes");
        Console.WriteLine($"whole: {Number(summary.Parameters)} parameters, {Number(summary.MultiplyAdds)} multiply-adds a photo; to the cut {string.Join(", ", summary.Layers.Where(l => l.Cut.Length > 0).Select(l => $"'{l.Tensor}'"))}: {Number(summary.ParametersToCut)} parameters, {Number(summary.MultiplyAddsToCut)} multiply-adds");
    }

    private static string Shape(IReadOnlyList<long> shape) => string.Join(" x ", shape);

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
