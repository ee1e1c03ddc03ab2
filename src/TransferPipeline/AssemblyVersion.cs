using System.Reflection;

namespace TransferPipeline;

/// <summary>Versions of packages, as their assemblies state them.</summary>
internal static class AssemblyVersion
{
    /// <summary>The informational version without the commit that may follow it.</summary>
    public static string? Of(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
}
