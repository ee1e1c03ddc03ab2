using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Extraction;

/// <summary>
/// Files of a feature set and its stamps, damaged with a fixed seed: the next run makes the undisturbed set again, or it and every reader
/// refuse in one line. No vector that is read is ever another photo's or a damaged one.
/// </summary>
public sealed class DamagedSetTests : IDisposable
{
#if DEBUG
    private const int Rounds = 20;
#else
    private const int Rounds = 80;
#endif

    private readonly TestExtraction _extraction = new(2);
    private readonly Dictionary<string, byte[]> _whole;
    private readonly FeatureData _expected;

    public DamagedSetTests()
    {
        foreach (var photo in Directory.GetFiles(_extraction.Photos, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(photo, new DateTime(2024, 5, 5, 12, 0, 0, DateTimeKind.Utc));
        Thread.Sleep(TimeSpan.FromSeconds(2.1));
        _extraction.Run();
        _expected = _extraction.Load();
        _whole = Directory
            .GetFiles(_extraction.Set)
            .Append(PhotoStamps.FileOf(_extraction.Set))
            .ToDictionary(file => file, File.ReadAllBytes);
    }

    public void Dispose() => _extraction.Dispose();

    [Theory]
    [InlineData("*.bin")]
    [InlineData("manifest.json")]
    [InlineData("*.parquet")]
    public void NextRun_AfterDamage_MakesTheSetAgainOrRefuses(string pattern)
    {
        var random = new Random(20261129);
        string[] files = [.. _whole.Keys.Where(file => IsOf(file, pattern)).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(files);
        for (var round = 0; round < Rounds; round++)
        {
            Restore();
            var file = files[random.Next(files.Length)];
            File.WriteAllBytes(file, Damage(_whole[file], random));
            AssertSameOrRefused($"{Path.GetFileName(file)}, round {round}");
        }
    }

    [Fact]
    public void NextRun_WithTheStampsAndPartsOfAnotherSet_MakesTheSetAgainOrRefuses()
    {
        using var other = new TestExtraction(1, "pants", "skirt");
        foreach (var photo in Directory.GetFiles(other.Photos, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(photo, new DateTime(2024, 5, 5, 12, 0, 0, DateTimeKind.Utc));
        Thread.Sleep(TimeSpan.FromSeconds(2.1));
        other.Run();
        var foreign = Directory.GetFiles(other.Set, "*.parquet")[0];
        foreach (var file in _whole.Keys)
        {
            Restore();
            File.Copy(
                file.EndsWith(".bin", StringComparison.Ordinal) ? PhotoStamps.FileOf(other.Set)
                    : file.EndsWith(".json", StringComparison.Ordinal) ? Path.Combine(other.Set, FeatureManifest.FileName)
                    : foreign,
                file,
                overwrite: true
            );
            AssertSameOrRefused(file);
        }
    }

    [Fact]
    public void NextRun_WithPartsExchanged_MakesTheSetAgainOrRefuses()
    {
        string[] parts = [.. _whole.Keys.Where(file => IsOf(file, "*.parquet")).Order(StringComparer.Ordinal)];
        Assert.True(parts.Length > 1);
        File.WriteAllBytes(parts[0], _whole[parts[1]]);
        File.WriteAllBytes(parts[1], _whole[parts[0]]);
        AssertSameOrRefused("exchanged parts");
    }

    /// <summary>A run over unchanged photos does not read vectors, so it does not see such damage; whoever reads them does.</summary>
    [Fact]
    public void Load_OfAPartOfTheRightLengthThatIsDamaged_NamesACureThatWorks()
    {
        var part = _whole.Keys.Where(file => IsOf(file, "*.parquet")).Order(StringComparer.Ordinal).First();
        var damaged = (byte[])_whole[part].Clone();
        damaged[damaged.Length / 2] ^= 1;
        File.WriteAllBytes(part, damaged);
        var error = Assert.Throws<BadInputException>(() => _extraction.Load());
        Assert.EndsWith(
            $"{Path.GetFileName(part)} is damaged: its SHA-256 is not the one in the manifest; delete that file and extract again",
            error.Message
        );
        File.Delete(part);
        Assert.Contains(" is missing; extract again", Assert.Throws<BadInputException>(() => _extraction.Load()).Message);
        Assert.True(_extraction.Run().Computed > 0);
        TestExtraction.AssertSame(_expected, _extraction.Load());
    }

    private static bool IsOf(string file, string pattern) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileName(file));

    private static byte[] Damage(byte[] valid, Random random)
    {
        var changed = (byte[])valid.Clone();
        switch (random.Next(4))
        {
            case 0:
                changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
                return changed;
            case 1:
                // A digit of a count, length or position becomes another: JSON stays valid.
                int[] digits = [.. Enumerable.Range(0, changed.Length).Where(i => char.IsAsciiDigit((char)changed[i]))];
                changed[digits.Length > 0 ? digits[random.Next(digits.Length)] : 0] = (byte)('0' + random.Next(10));
                return changed;
            case 2:
                return changed[..random.Next(changed.Length)];
            default:
                var (from, to) = (random.Next(changed.Length), random.Next(changed.Length));
                var length = Math.Min(random.Next(1, 64), changed.Length - Math.Max(from, to));
                valid.AsSpan(from, length).CopyTo(changed.AsSpan(to));
                return changed;
        }
    }

    private void Restore()
    {
        Directory.Delete(_extraction.Set, recursive: true);
        Directory.CreateDirectory(_extraction.Set);
        foreach (var (file, bytes) in _whole)
            File.WriteAllBytes(file, bytes);
    }

    private void AssertSameOrRefused(string what)
    {
        try
        {
            _extraction.Run();
            TestExtraction.AssertSame(_expected, _extraction.Load());
        }
        catch (TransferException e)
        {
            Assert.False(e.Message.Contains('\n'), $"{what}: {e.Message}");
            Assert.True(e.ExitCode is ExitCode.Usage or ExitCode.Failed, what);
        }
        catch (Exception e)
        {
            Assert.Fail($"{what}: {e}");
        }
    }
}
