using System.Reflection;
using Parquet;
using Parquet.Schema;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetNet;

/// <summary>Feature sets and photo tables in Parquet by Parquet.Net. Thread-safe.</summary>
public sealed partial class ParquetNetTable : IParquetLibrary
{
    private const string Vector = "vector";

    private static readonly DataField[] RowFields =
    [
        Text("path"), Text("label"), Text("split"), new DataField<int>("view"), Text("image_sha256"),
        new DataField<long>("bytes"), new DataField<long>("mtime"), new DataField<int>("width"), new DataField<int>("height"),
    ];

    private static readonly DataField[] LabelFields = [Text("label"), Text("split")];

    private static readonly DataField[] FailedFields =
    [
        Text("path"), Text("label"), Text("split"), Text("image_sha256"), new DataField<long>("bytes"), new DataField<long>("mtime"), Text("reason"),
    ];

    public string Name =>
        $"Parquet.Net {typeof(ParquetReader).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";

    private static DataField Text(string name) => new(name, typeof(string), isNullable: false);

    private static ListField VectorField() => new(Vector, new DataField<float>(ListField.ElementName));
}
