namespace TransferPipeline.Datasets;

/// <summary>Options that only tables of names and labels, or some other forms of data, have a use for.</summary>
internal static class TableOptions
{
    /// <summary>Refuses options that this form of data has no use for: its labels would not be those that the option asks for.</summary>
    /// <param name="isWebDataset">The archives hold labels as files beside the photos.</param>
    /// <exception cref="UsageException">An option without a use is given.</exception>
    public static void Require(DatasetOptions options, DatasetKind kind, bool isWebDataset = true)
    {
        var form = kind switch
        {
            DatasetKind.Csv => null,
            DatasetKind.Parquet => "Parquet",
            DatasetKind.Tar => isWebDataset ? "archives" : "archives of class folders",
            DatasetKind.Cifar10 or DatasetKind.Cifar100 => "CIFAR's files",
            _ => "class folders",
        };
        if (form is null)
            return;
        var hasLabels = kind == DatasetKind.Parquet || (kind == DatasetKind.Tar && isWebDataset);
        var hasSplits = kind == DatasetKind.Tar && isWebDataset;
        (string Name, string? Value, bool HasUse)[] given =
        [
            ("path-column", options.PathColumn, false),
            ("label-column", options.LabelColumn, hasLabels),
            ("split-column", options.SplitColumn, hasSplits),
            ("folder", options.Folder, false),
            ("extension", options.Extension.Length == 0 ? null : options.Extension, false),
        ];
        foreach (var (name, value, hasUse) in given)
        {
            if (value is not null && !hasUse)
                throw new UsageException(
                    $"{name} is '{value}', but {options.Path} is read as {form}, which have no use for it; leave it out, or give the "
                        + "table of names and labels as the data"
                );
        }
    }
}
