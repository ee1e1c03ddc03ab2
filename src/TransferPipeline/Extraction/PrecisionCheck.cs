using System.Globalization;
using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Extraction;

/// <summary>How far a lower precision is from fp32, on the first photos of the dataset.</summary>
/// <param name="CosineMin">Smallest cosine between the two vectors of a photo, over all cuts.</param>
/// <param name="LargestDifference">Largest difference of a value, relative to the largest value of its vector.</param>
internal sealed record PrecisionCheck(string Precision, int Photos, double CosineMin, double LargestDifference)
{
    private const int Most = 8;

    /// <summary>Below this cosine heads cannot be shared with fp32 (as in <see cref="FeatureDrift"/>).</summary>
    private bool IsClose => CosineMin >= FeatureDrift.CosineLimit;

    /// <summary>Runs the first photos that can be decoded through both, as bytes where the run will; null when there are none.</summary>
    /// <param name="exact">The model in float32.</param>
    /// <param name="converted">The model that will run.</param>
    public static PrecisionCheck? Run(ExtractionSpec spec, CutModel exact, CutModel converted)
    {
        var device = spec.Device with { Gpus = [spec.Device.Index], CudaGraphs = false };
        // CUDA in place of TensorRT, whose float32 is TensorFloat-32 unless it is forbidden to the whole process.
        using var first = new SessionHandle(
            SessionFactory.Create(
                exact,
                device with
                {
                    Provider = device.IsCpu ? Provider.Cpu : Provider.Cuda,
                    Precision = Inference.Precision.Fp32,
                    CudaFusion = CudaFusion.Off,
                }
            ),
            device
        );
        using var a = new BackboneRunner(first.Session, exact, exact.AtMost(Most));
        var bytes = new byte[a.Batch * a.PixelsPerPhoto];
        var photos = Fill(spec, exact.Layout, a, bytes);
        if (photos == 0)
            return null;
        GpuErrors.Run(a.Run, a.Batch, device);
        using var vectors = new Lower(spec, converted, device, a, bytes);
        var (cosine, largest) = (1.0, 0.0);
        for (var output = 0; output < exact.Outputs.Count; output++)
        {
            for (var i = 0; i < photos; i++)
            {
                ReadOnlySpan<float> x = a.Vectors(output).Row(i);
                var y = vectors.Of(output, i);
                cosine = Math.Min(cosine, TensorPrimitives.CosineSimilarity(x, y));
                var difference = new float[x.Length];
                TensorPrimitives.Subtract(x, y, difference);
                largest = Math.Max(largest, Magnitude(difference) / Math.Max(1e-12f, Magnitude(x)));
            }
        }

        return new(DeviceOptions.Name(spec.Device.Precision), photos, cosine, largest);
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Precision} against fp32 on the first {Photos} photos: cosine at least {CosineMin:0.000000}, largest difference "
                + $"{LargestDifference:0.0e0} of the largest value{(IsClose ? "" : $"; below {FeatureDrift.CosineLimit}: use fp32")}"
        );

    // MaxMagnitude keeps the value's sign.
    private static float Magnitude(ReadOnlySpan<float> values) => Math.Abs(TensorPrimitives.MaxMagnitude(values));

    private static int Fill(ExtractionSpec spec, TensorLayout layout, BackboneRunner exact, byte[] bytes)
    {
        var source = new PhotoSource(spec, new WorkerTimes());
        var photos = 0;
        // Photos that fail are reported by the run itself.
        for (var entry = 0; entry < Math.Min(4 * Most, spec.Dataset.Entries.Count) && photos < exact.Batch; entry++)
        {
            try
            {
                source.Read(entry, plainOnly: true);
                source.Write(0, exact.Pixels(photos), layout);
                source.WriteBytes(0, bytes.AsSpan(photos * exact.PixelsPerPhoto, exact.PixelsPerPhoto));
            }
            catch (Exception e) when (PhotoSource.IsOfPhoto(e))
            {
                continue;
            }

            photos++;
        }

        return photos;
    }

    /// <summary>
    /// The vectors in the lower precision: on the CPU of normalized pixels, on GPUs of bytes, as each computes them in a run.
    /// </summary>
    private sealed class Lower : IDisposable
    {
        private readonly SessionHandle _held;
        private readonly BackboneRunner? _runner;
        private readonly BatchTensors? _batch;

        public Lower(ExtractionSpec spec, CutModel model, DeviceOptions device, BackboneRunner exact, byte[] bytes)
        {
            if (!device.IsCpu)
                model = PixelInput.Apply(model, spec.Preprocessing);
            _held = new(SessionFactory.Create(model, device), device);
            try
            {
                if (device.IsCpu)
                {
                    _runner = new(_held.Session, model, exact.Batch);
                    for (var i = 0; i < exact.Batch; i++)
                        exact.Pixels(i).CopyTo(_runner.Pixels(i));
                    _runner.Run();
                    return;
                }

                using var host = TensorMemory.Plain();
                using var memory = TensorMemory.OnGpu(_held.Session, device.Index);
                _batch = new(host, model, exact.Batch);
                for (var i = 0; i < exact.Batch; i++)
                    bytes.AsSpan(i * exact.PixelsPerPhoto, exact.PixelsPerPhoto).CopyTo(_batch.Pixels(i));
                using var runner = new BoundRunner(_held.Session, model, memory, exact.Batch);
                GpuErrors.Run(() => runner.Run(_batch), exact.Batch, device);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public ReadOnlySpan<float> Of(int output, int photo) =>
            _runner is null ? _batch!.Vector(output, photo) : _runner.Vectors(output).Row(photo);

        public void Dispose()
        {
            _runner?.Dispose();
            _batch?.Dispose();
            _held.Dispose();
        }
    }
}
