namespace TransferPipeline.Platform;

/// <summary>Folders of the user that the environment names.</summary>
internal static class UserFolders
{
    /// <summary>
    /// The home folder, which need not exist: users of services have one that does not (/nonexistent). By default .NET gives an empty path
    /// then, and what is joined to it would lie in the current folder.
    /// </summary>
    public static string Home =>
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
}
