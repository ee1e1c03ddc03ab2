using System.Runtime.InteropServices;
using System.Text;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>State that a later process goes on with.</summary>
internal sealed partial class TorchTunedPart
{
    private const string Magic = "transfer tuned part 1";

    public void Save(Stream to)
    {
        using var writer = new BinaryWriter(to, Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        // The states of another optimizer mean something else.
        writer.Write(_options.Optimizer.ToString());
        writer.Write(_steps);
        foreach (var weight in All)
        {
            writer.Write(weight.Name);
            foreach (var array in weight.States.Prepend(weight.Master))
            {
                // In the order of the shape, so that the file does not depend on the memory order of a tensor.
                var values = TrainedTensor.Read(array);
                writer.Write(values.Length);
                writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
            }
        }
    }

    public void Load(Stream from)
    {
        using var reader = new BinaryReader(from, Encoding.UTF8, leaveOpen: true);
        try
        {
            Expect(reader.ReadString(), Magic);
            Expect(reader.ReadString(), _options.Optimizer.ToString());
            _steps = reader.ReadInt64();
            foreach (var weight in All)
            {
                Expect(reader.ReadString(), weight.Name);
                foreach (var array in weight.States.Prepend(weight.Master))
                {
                    var values = new float[array.numel()];
                    // Before the values: with another length all that follows would be misread.
                    Expect(reader.ReadInt32().ToString(), values.Length.ToString());
                    from.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
                    weight.Write(array, values);
                }
            }
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("the saved state ends early", e);
        }
    }

    private static void Expect(string found, string expected)
    {
        if (found != expected)
            throw new InvalidDataException($"the saved state is of another part: it has '{found}', expected '{expected}'");
    }
}
