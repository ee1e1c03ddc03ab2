using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>Runs while no other test does: it watches the process's memory.</summary>
[CollectionDefinition(nameof(DecoderMemoryTests), DisableParallelization = true)]
[Collection(nameof(DecoderMemoryTests))]
public sealed class DecoderMemoryTests
{
#if DEBUG
    private const int Rounds = 1;
#else
    private const int Rounds = 3;
#endif

    [Fact]
    public void Decode_of_thousands_of_photos_good_and_bad_keeps_memory_flat()
    {
        var folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Images", "Formats");
        var photo = File.ReadAllBytes(Path.Combine(folder, "rgb-420.jpg"));
        var interlaced = File.ReadAllBytes(Path.Combine(folder, "rgb-interlaced.png"));
        var decoder = TestDecoder.Create();
        var image = new RgbImage();
        Round();

        // 18,000 decodes: losing one decoded photo (3 KB) each would take 54 MB. Other tests of this process make the working set grow too,
        // but not three times in a row.
        const long Limit = 24L << 20;
        var growth = new List<long>();
        while (growth.Count < 3 && growth.TrueForAll(g => g > Limit))
        {
            var before = Environment.WorkingSet;
            for (var r = 0; r < Rounds; r++)
                Round();
            growth.Add(Environment.WorkingSet - before);
        }

        Assert.True(growth[^1] <= Limit, $"grew by {string.Join(", ", growth)} bytes");

        void Round()
        {
            for (var i = 0; i < 2000; i++)
            {
                decoder.Decode(photo, new DecodeOptions(), image);
                decoder.Decode(interlaced, new DecodeOptions(), image);
                Assert.Throws<ImageDecodeException>(() => decoder.Decode(photo.AsSpan(0, photo.Length - 200), new DecodeOptions(), image));
            }
        }
    }
}
