using System.Reflection;
using System.Text.Json;

namespace TransferPipeline;

/// <summary>
/// The packages and versions that an adapter's project was built with, from the program's list of dependencies; loads none of them.
/// </summary>
internal static class AdapterPackages
{
    /// <summary>Such as <c>TorchSharp 0.107.0</c>; the assembly's name where the program has no such list.</summary>
    public static string Of(Assembly adapter)
    {
        var (name, files) = (adapter.GetName().Name!, AppContext.GetData("APP_CONTEXT_DEPS_FILES") as string);
        foreach (
            var file in (files ?? "")
                .Split([';', Path.PathSeparator], StringSplitOptions.RemoveEmptyEntries)
                .Where(f => File.Exists(f) && Path.GetExtension(f) == ".json")
        )
        {
            using var dependencies = JsonDocument.Parse(File.ReadAllBytes(file));
            var packages =
                from target in dependencies.RootElement.GetProperty("targets").EnumerateObject()
                from library in target.Value.EnumerateObject()
                where library.Name.Split('/')[0] == name && library.Value.TryGetProperty("dependencies", out _)
                from package in library.Value.GetProperty("dependencies").EnumerateObject()
                // Our own projects are no outside packages.
                where !package.Name.StartsWith(nameof(TransferPipeline), StringComparison.Ordinal)
                select $"{package.Name} {package.Value.GetString()}";
            if (packages.ToList() is { Count: > 0 } found)
                return string.Join(", ", found);
        }

        return name;
    }
}
