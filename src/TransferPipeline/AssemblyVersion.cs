using System.Reflection;

namespace TransferPipeline;

/// <summary>Versions of packages, as their assemblies state them.</summary>
internal static class AssemblyVersion
{
    public const string Name = "TransferPipeline";

    /// <summary>Of this library.</summary>
    public static string Own { get; } = Of(typeof(AssemblyVersion).Assembly)!;

    /// <summary>Name and version, as files state what wrote them.</summary>
    public static string Program { get; } = $"{Name} {Own}";

    /// <summary>The informational version without the commit that may follow it.</summary>
    public static string? Of(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
}
