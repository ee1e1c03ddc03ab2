using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Inference;

namespace TransferPipeline.Quantization;

/// <summary>Photos as a network's input.</summary>
/// <param name="Count">Number of photos.</param>
/// <param name="CreateReader">Makes one thread's reader: it writes the pixels of a photo.</param>
internal sealed record CalibrationPhotos(int Count, Func<PixelReader> CreateReader)
{
    /// <summary>The first photos of these.</summary>
    public CalibrationPhotos First(int count) => this with { Count = Math.Min(count, Count) };

    /// <summary>Runs a session on each photo alone, on several threads; results do not depend on their number.</summary>
    /// <param name="session">Of one thread (<see cref="Sessions"/>).</param>
    /// <param name="visit">Called for each photo with its pixels and the outputs, by several threads at once.</param>
    public void Run(
        InferenceSession session,
        BackboneInput input,
        IReadOnlyCollection<string> outputs,
        int threads,
        PhotoVisitor visit,
        CancellationToken cancellation
    )
    {
        var next = -1;
        OwnThreads.Run(
            Math.Min(threads, Count),
            _ =>
            {
                // One photo per run: larger batches sum in other orders, and some networks take one photo only.
                var (reader, shape) = (CreateReader(), input.Shape(1));
                var pixels = new float[shape.Aggregate(1L, (product, d) => product * d)];
                using var tensor = OrtValue.CreateTensorValueFromMemory(pixels, shape);
                using var options = new RunOptions();
                // Photos cost unequal time to decode: threads take the next one. Visitors keep results by the photo's number.
                for (int photo; (photo = Interlocked.Increment(ref next)) < Count; )
                {
                    cancellation.ThrowIfCancellationRequested();
                    reader(photo, pixels);
                    using var results = session.Run(options, [input.Name], [tensor], outputs);
                    visit(photo, pixels, results);
                }
            }
        );
    }
}

/// <summary>Takes the outputs for photo <paramref name="photo"/>; they are valid during the call.</summary>
internal delegate void PhotoVisitor(int photo, ReadOnlySpan<float> pixels, IReadOnlyList<OrtValue> outputs);

/// <summary>Writes the normalized pixels of photo <paramref name="photo"/>.</summary>
internal delegate void PixelReader(int photo, Span<float> pixels);
