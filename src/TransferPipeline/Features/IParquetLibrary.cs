using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>A Parquet library: reads and writes feature sets, and reads image tables.</summary>
public interface IParquetLibrary : IFeatureTable, IPhotoTable;
