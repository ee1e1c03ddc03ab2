namespace TransferPipeline.Datasets;

/// <summary>Opens a dataset in any of the known forms.</summary>
public static class DatasetReader
{
    /// <param name="table">Reads Parquet; needed for <see cref="DatasetKind.Parquet"/> alone.</param>
    /// <exception cref="BadInputException">There is nothing at the path, no photo in it, or it is damaged.</exception>
    /// <exception cref="UsageException">The options do not fit the data: an unknown class or column, a share out of range.</exception>
    public static Dataset Open(DatasetOptions options, IPhotoTable? table = null)
    {
        if (!Directory.Exists(options.Path) && !File.Exists(options.Path))
            throw new BadInputException($"{options.Path}: there is no such file or folder; expected photos, for example a folder with a folder for each class");
        return FileDataset.OpenFolder(options);
    }
}
