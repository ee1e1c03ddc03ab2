namespace TransferPipeline.Datasets;

/// <summary>Forms in which photos are stored and that are not read, by the names of their files: what they are and what to do.</summary>
internal static class OtherForms
{
    private const string AsFiles = "write its photos as files in class folders, or as Parquet or webdataset tar files";

    private const string AsTable = "a spreadsheet, which is not read: save its table as CSV (UTF-8)";

    private static readonly (string Ending, string Form)[] Endings =
    [
        (
            ".arrow",
            "an Arrow file of Hugging Face's datasets (save_to_disk, or its cache), which is not read: write Parquet with to_parquet or "
                + "push_to_hub, with the photos inside"
        ),
        (".tfrecord", $"a TFRecord file, which is not read: {AsFiles}"),
        (".rec", $"a RecordIO file of MXNet, which is not read: {AsFiles}"),
        (".npz", $"an archive of NumPy arrays, which is not read: {AsFiles}"),
        (".npy", $"a NumPy array, which is not read: {AsFiles}"),
        (".mat", $"a MATLAB file, which is not read: {AsFiles}"),
        (".h5", $"an HDF5 file, which is not read: {AsFiles}"),
        (".hdf5", $"an HDF5 file, which is not read: {AsFiles}"),
        (".mdb", $"an LMDB database, which is not read: {AsFiles}"),
        (".beton", $"a file of FFCV, which is not read: {AsFiles}"),
        (".xlsx", AsTable),
        (".xls", AsTable),
        (".ods", AsTable),
        ("-ubyte", $"an IDX file as of MNIST, which is not read: {AsFiles}"),
    ];

    /// <summary>The form and what to do; null where the name is none of theirs.</summary>
    public static string? Of(string name)
    {
        // Shards have their number behind the ending (x.tfrecord-00000-of-00008), downloads .gz.
        if (name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            name = name[..^3];
        var form = Array.Find(
            Endings,
            known =>
                name.EndsWith(known.Ending, StringComparison.OrdinalIgnoreCase)
                || (known.Ending[0] == '.' && name.Contains(known.Ending + "-", StringComparison.OrdinalIgnoreCase))
        );
        return form.Form;
    }
}
