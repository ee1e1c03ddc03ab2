using System.Runtime.CompilerServices;

namespace TransferPipeline.Tests;

/// <summary>
/// Finds the repository and the shared photos, backbones and reference values; a test that needs what is absent is reported as skipped.
/// </summary>
internal static class SharedData
{
    public static string Repository { get; } = FindRepository();

    /// <summary>The folder `shared` beside the repository, or the one that TRANSFER_SHARED names.</summary>
    public static string Root { get; } =
        Environment.GetEnvironmentVariable("TRANSFER_SHARED") ?? Path.GetFullPath(Path.Combine(Repository, "..", "shared"));

    /// <summary>A path below `shared`; skips the calling test when it is not there.</summary>
    public static string Require(params string[] parts)
    {
        var path = Path.Combine([Root, .. parts]);
        if (!File.Exists(path) && !Directory.Exists(path))
            Assert.Skip($"needs {string.Join('/', parts)} in the shared folder");
        return path;
    }

    public static string RequireHymenoptera() => Require("data", "hymenoptera");

    public static string RequireClothing() => Require("data", "clothing");

    public static string RequireModel(string file) => Require("models", file);

    public static string RequireReference(string file) => Require("reference", file);

    private static string FindRepository([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", ".."));
}
