namespace TransferPipeline.Datasets;

/// <summary>At most a given number of a dataset's photos, spread evenly over it.</summary>
internal sealed class DatasetSample : Dataset
{
    private readonly Dataset _dataset;
    private readonly int[] _indices;

    public DatasetSample(Dataset dataset, int photos)
    {
        _dataset = dataset;
        _indices = Spread.Over(dataset.Entries.Count, photos);
        Entries = [.. _indices.Select(i => dataset.Entries[i])];
    }

    public override string Source => _dataset.Source;

    public override IReadOnlyList<string> Classes => _dataset.Classes;

    public override IReadOnlyList<PhotoEntry> Entries { get; }

    public override IReadOnlyList<DatasetProblem> Problems => _dataset.Problems;

    public override PhotoStamp Stamp(int index) => _dataset.Stamp(_indices[index]);

    public override string? FileOf(int index) => _dataset.FileOf(_indices[index]);

    public override int Read(int index, ref byte[] buffer) => _dataset.Read(_indices[index], ref buffer);
}
