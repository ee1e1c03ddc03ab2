using TransferPipeline.Platform;

namespace TransferPipeline;

/// <summary>The user's cache on this machine: what is there may be deleted.</summary>
internal static class UserCache
{
    /// <summary>A folder in transfer below XDG_CACHE_HOME, or below ~/.cache where that is not set; it need not exist.</summary>
    public static string Folder(string name)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        // The XDG specification takes an empty or relative path for one that is not set.
        if (!Path.IsPathFullyQualified(cache ?? ""))
            cache = Path.Combine(UserFolders.Home, ".cache");
        return Path.Combine(cache!, "transfer", name);
    }
}
