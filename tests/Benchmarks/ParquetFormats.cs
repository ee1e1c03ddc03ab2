using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Features;
using TransferPipeline.ParquetNet;
using TransferPipeline.ParquetSharp;

namespace TransferPipeline.Benchmarks;

/// <summary>
/// Size, writing and reading of parts by library, compression and encoding, on the vectors of a feature set and on 50,000 made of them.
/// Too long for BenchmarkDotNet's many repetitions: each figure is the median of three.
/// </summary>
internal static class ParquetFormats
{
    private const int ManyRows = 50_000;
    private const int Repetitions = 3;

    private static readonly (string Name, PartFormat Format)[] Formats =
    [
        ("none", new(PartCompression.None)),
        ("snappy", new(PartCompression.Snappy)),
        ("zstd 1", new(PartCompression.Zstd, 1)),
        ("zstd 3", new(PartCompression.Zstd, 3)),
        ("zstd 1, byte stream split", new(PartCompression.Zstd, 1, ByteStreamSplit: true)),
    ];

    /// <summary>
    /// Prints one line for each kind of vectors, library and format: MB, then seconds to write, to read whole, in blocks, and all but
    /// vectors; each as wall time and processor time.
    /// </summary>
    public static void Run(string featureSet)
    {
        var set = FeatureSet.Open(featureSet, DefaultTools.Create().Table);
        var real = set.Load();
        var kinds = new[] { ("as extracted", real.X), ("half zeros", HalfZeros(real.X)) };
        foreach (var (kind, vectors) in kinds)
        {
            Measure($"{kind}, {vectors.Rows} rows", vectors, Rows(real, vectors.Rows));
            var many = Many(vectors);
            Measure($"{kind}, {many.Rows} rows", many, Rows(real, many.Rows));
        }
    }

    /// <summary>What a backbone gives whose features go through ReLU last: each column's lower half is zero.</summary>
    private static FeatureMatrix HalfZeros(FeatureMatrix vectors)
    {
        var result = new FeatureMatrix(vectors.Rows, vectors.Columns);
        var column = new float[vectors.Rows];
        for (var c = 0; c < vectors.Columns; c++)
        {
            for (var i = 0; i < column.Length; i++)
                column[i] = vectors.Row(i)[c];
            Array.Sort(column);
            var median = column[column.Length / 2];
            for (var i = 0; i < column.Length; i++)
                result.Row(i)[c] = Math.Max(vectors.Row(i)[c] - median, 0);
        }

        return result;
    }

    /// <summary>The vectors again and again, each value up to a hundredth larger or smaller; zeros stay.</summary>
    private static FeatureMatrix Many(FeatureMatrix vectors)
    {
        var random = new Random(1);
        var many = new FeatureMatrix(ManyRows, vectors.Columns);
        for (var i = 0; i < ManyRows; i++)
        {
            var source = vectors.Row(i % vectors.Rows);
            var row = many.Row(i);
            for (var c = 0; c < row.Length; c++)
                row[c] = source[c] * (0.99f + 0.02f * random.NextSingle());
        }

        return many;
    }

    private static List<FeatureRow> Rows(FeatureData real, int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => real.Rows[i % real.Rows.Count] with { Path = $"{i}/{real.Rows[i % real.Rows.Count].Path}" }),
        ];

    private static void Measure(string kind, FeatureMatrix vectors, List<FeatureRow> rows)
    {
        var file = Path.Combine(Path.GetTempPath(), $"parquet-formats-{Environment.ProcessId}.parquet");
        var read = new FeatureMatrix(vectors.Rows, vectors.Columns);
        var block = new FeatureMatrix(4096, vectors.Columns);
        try
        {
            foreach (var (name, format) in Formats)
            {
                foreach (var table in new ParquetTable[] { new ParquetSharpTable(format), new ParquetNetTable(format) })
                {
                    var write = Median(() => table.Write(file, rows, vectors));
                    var whole = Median(() => table.ReadVectors(file, read, 0));
                    var blocks = Median(() => table.ReadBlocks(file, block, 0, () => { }));
                    var others = Median(() => table.ReadRows(file));
                    if (
                        !vectors
                            .Data.AsSpan(0, rows.Count * vectors.Columns)
                            .SequenceEqual(read.Data.AsSpan(0, rows.Count * vectors.Columns))
                    )
                        throw new InvalidOperationException($"{table.Name} read other vectors than it wrote ({name})");
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"| {kind} | {name} | {table.Name.Split(' ')[0]} | {new FileInfo(file).Length / 1e6:0.0} | {write} "
                                + $"| {whole} | {blocks} | {others} |"
                        )
                    );
                }
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>
    /// Seconds of wall time and, in brackets, of processor time with system calls: other programs on the machine change the latter less.
    /// </summary>
    private static string Median(Action action)
    {
        using var process = Process.GetCurrentProcess();
        var (wall, processor) = (new double[Repetitions], new double[Repetitions]);
        for (var i = 0; i < Repetitions; i++)
        {
            process.Refresh();
            var (before, start) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
            action();
            wall[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            process.Refresh();
            processor[i] = (process.TotalProcessorTime - before).TotalSeconds;
        }

        Array.Sort(wall);
        Array.Sort(processor);
        return string.Create(CultureInfo.InvariantCulture, $"{wall[Repetitions / 2]:0.000} ({processor[Repetitions / 2]:0.000})");
    }
}
