using System.Security.Cryptography;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Quantization;

namespace TransferPipeline.Jobs;

/// <summary>Training photos that ranges are measured on: spread evenly over the dataset, those that can be decoded.</summary>
/// <param name="Entries">Indices into the dataset.</param>
/// <param name="Sha256s">Of the photos' bytes, in the same order.</param>
internal sealed record CalibrationSet(ExtractionSpec Spec, IReadOnlyList<int> Entries, IReadOnlyList<string> Sha256s)
{
    /// <exception cref="BadInputException">No training photo can be decoded.</exception>
    public static CalibrationSet Choose(ExtractionSpec spec, int photos, int threads)
    {
        // Photos of other splits evaluate the quantized backbone, so none of them may have set its ranges.
        int[] training = [.. Enumerable.Range(0, spec.Dataset.Entries.Count).Where(i => spec.Dataset.Entries[i].Split == Splits.Train)];
        var chosen = Array.ConvertAll(Spread.Over(training.Length, photos), i => training[i]);
        var count = chosen.Length;
        var (hashes, next) = (new string?[count], -1);
        // Photos take unequal time to decode, so each thread takes the next one.
        OwnThreads.Run(
            Math.Clamp(threads, 1, Math.Max(1, count)),
            _ =>
            {
                var (buffer, photo, preprocessor) = (new byte[1 << 18], new RgbImage(), new Preprocessor(spec.Preprocessing));
                for (int i; (i = Interlocked.Increment(ref next)) < count; )
                {
                    try
                    {
                        var length = spec.Dataset.Read(chosen[i], ref buffer); // which may replace the buffer
                        var encoded = buffer.AsSpan(0, length);
                        spec.Decoder.Decode(encoded, spec.Decode, photo, preprocessor);
                        hashes[i] = Convert.ToHexStringLower(SHA256.HashData(encoded));
                    }
                    catch (Exception e) when (PhotoSource.IsOfPhoto(e))
                    {
                        // The extraction reports photos that cannot be decoded; ranges need none of them.
                    }
                }
            }
        );
        int[] usable = [.. Enumerable.Range(0, count).Where(i => hashes[i] is not null)];
        if (usable.Length == 0)
            throw new BadInputException(
                $"{spec.Dataset.Source}: no photo of split {Splits.Train} can be decoded, and int8 measures its ranges on them"
            );
        return new(spec, [.. usable.Select(i => chosen[i])], [.. usable.Select(i => hashes[i]!)]);
    }

    /// <summary>The photos as the input of a network.</summary>
    public CalibrationPhotos AsPixels(TensorLayout layout) =>
        new(
            Entries.Count,
            () =>
            {
                // One per reader, since it owns the buffers of one photo.
                var source = new PhotoSource(Spec, new());
                return (photo, pixels) =>
                {
                    source.Read(Entries[photo], plainOnly: true);
                    source.Write(0, pixels, layout);
                };
            }
        );
}
