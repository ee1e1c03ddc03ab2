using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using TransferPipeline.Features;

namespace TransferPipeline.Tuning;

/// <summary>What a run that was ended goes on with: the state after its last whole epoch, in one file that is replaced durably.</summary>
/// <param name="Epoch">Epochs that are done.</param>
/// <param name="History">Of those epochs.</param>
/// <param name="Kept">The weights that would be written: the average so far or the best; null where there are none yet.</param>
/// <param name="KeptCount">Epochs in the average, or the number of the best epoch.</param>
/// <param name="Best">Accuracy of the best epoch.</param>
internal sealed record TuningCheckpoint(int Epoch, List<TuningEpoch> History, TunedWeights? Kept, int KeptCount, double Best)
{
    private const string Magic = "transfer tuning 2";

    /// <param name="key">Names the run; a checkpoint of another is not read.</param>
    /// <exception cref="JobFailedException">The file cannot be written.</exception>
    public void Write(string file, string key, ITunedPart part)
    {
        try
        {
            DurableFile.Write(
                file,
                temporary =>
                {
                    using var stream = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 20);
                    // It leaves the stream open, in which weights and the part's state follow.
                    using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
                    {
                        writer.Write(Magic);
                        writer.Write(key);
                        writer.Write(Epoch);
                        writer.Write(JsonSerializer.Serialize(History, TuningJson.Default.ListTuningEpoch));
                        writer.Write(KeptCount);
                        writer.Write(Best);
                        writer.Write(Kept is not null);
                    }

                    if (Kept is not null)
                        WriteWeights(stream, Kept, part);
                    part.Save(stream);
                    stream.Position = 0;
                    stream.Write(SHA256.HashData(stream));
                }
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{file} cannot be written ({e.OneLine()}): make room and run again; the epoch before is kept", e);
        }
    }

    /// <summary>Reads a run's checkpoint and puts its state into the part; null when there is none of this run.</summary>
    public static TuningCheckpoint? Read(string file, string key, ITunedPart part, Action<string> message)
    {
        if (!File.Exists(file))
            return null;
        try
        {
            using var stream = InputFile.Read(file, () => new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20));
            TuningCheckpoint read;
            bool hasKept;
            // A BinaryReader does not read ahead: the stream stands behind the last field when it is disposed.
            using (var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true))
            {
                // A cache folder is shared by runs of other options, so another run's checkpoint is no damage.
                if (reader.ReadString() != Magic || reader.ReadString() != key)
                {
                    message($"{file}: the checkpoint of a run with other photos or options; training begins anew");
                    return null;
                }

                // Weights are any bytes: without a hash a damaged one would be trained on.
                RequireIntact(stream);
                var epoch = reader.ReadInt32();
                var history =
                    JsonSerializer.Deserialize(reader.ReadString(), TuningJson.Default.ListTuningEpoch)
                    ?? throw new InvalidDataException("it has no history");
                // One entry per epoch; a damaged number would repeat epochs or leave some out.
                if (history.Count != epoch)
                    throw new InvalidDataException($"it has {history.Count} epochs in its history and is of epoch {epoch}");
                read = new(epoch, history, null, reader.ReadInt32(), reader.ReadDouble());
                hasKept = reader.ReadBoolean();
            }

            var kept = hasKept ? ReadWeights(stream, part) : null;
            part.Load(stream);
            return read with { Kept = kept };
        }
        // An impossible length of a text is an IOException too.
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException or FormatException)
        {
            throw new BadInputException($"{file} is damaged ({e.OneLine()}): delete it, and training begins anew", e);
        }
    }

    /// <summary>Compares the file with the SHA-256 at its end; the stream stands where it stood.</summary>
    private static void RequireIntact(FileStream stream)
    {
        var (at, length) = (stream.Position, stream.Length - SHA256.HashSizeInBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        stream.Position = 0;
        while (stream.Position < length)
        {
            var block = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - stream.Position));
            stream.ReadExactly(block);
            hash.AppendData(block);
        }

        var stated = new byte[SHA256.HashSizeInBytes];
        stream.ReadExactly(stated);
        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(stated))
            throw new InvalidDataException("its SHA-256 is not the one at its end");
        stream.Position = at;
    }

    private static void WriteWeights(Stream to, TunedWeights weights, ITunedPart part)
    {
        foreach (var values in All(weights, part))
            to.Write(MemoryMarshal.AsBytes(values.AsSpan()));
    }

    private static TunedWeights ReadWeights(Stream from, ITunedPart part)
    {
        // For their shapes: the file has values alone, in the order of the part's parameters.
        var weights = part.Weights();
        foreach (var values in All(weights, part))
            from.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return weights;
    }

    // In the order of the parameters: a dictionary's own order is not fixed, and the file has no names.
    private static IEnumerable<float[]> All(TunedWeights weights, ITunedPart part) =>
        part.Parameters.Select(p => weights.Graph[p.Name]).Append(weights.HeadWeights).Append(weights.HeadBias);
}
