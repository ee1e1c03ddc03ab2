namespace TransferPipeline;

/// <summary>The user's cache on this machine: what is there may be deleted.</summary>
internal static class UserCache
{
    /// <summary>A folder in transfer below XDG_CACHE_HOME, or below ~/.cache where that is not set; it need not exist.</summary>
    public static string Folder(string name)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        // The XDG specification takes an empty variable for one that is not set.
        if (string.IsNullOrEmpty(cache))
            cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "transfer", name);
    }
}
