namespace TransferPipeline.Tests.Cli;

/// <summary>A small folder dataset of real photos: the first few of some classes of the repository's sample.</summary>
internal static class SamplePhotos
{
    public static readonly string Folder = Path.Combine(SharedData.Repository, "samples", "clothing");

    /// <summary>
    /// Copies <paramref name="perClass"/> training and as many validation photos of each class to <paramref name="root"/>.
    /// </summary>
    public static string Copy(string root, int perClass, params string[] classes)
    {
        foreach (var split in new[] { "train", "validation" })
        {
            foreach (var label in classes)
            {
                var target = Directory.CreateDirectory(Path.Combine(root, split, label)).FullName;
                foreach (var photo in Photos(split, label).Take(perClass))
                    File.Copy(photo, Path.Combine(target, Path.GetFileName(photo)));
            }
        }

        return root;
    }

    public static IEnumerable<string> Photos(string split, string label) =>
        Directory.EnumerateFiles(Path.Combine(Folder, split, label), "*.jpg").Order(StringComparer.Ordinal);
}
