using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Headers that TarReader reads without a word or answers with an exception of its own.</summary>
public sealed class TarHeadersTests : IDisposable
{
    private const int Block = 512;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("s\u00e4k/1.jpg", "s\u00f6k/2.jpg", @"member 's\xE4k/1.jpg': byte 0xE4 of its name is not UTF-8")]
    [InlineData("ants/1.jpg", "ants/fl\u00fcgel.jpg", @"member 'ants/fl\xFCgel.jpg': byte 0xFC of its name is not UTF-8")]
    public void Name_InLatin1_IsRefused(string first, string second, string expected) =>
        AssertRefused([.. Header(first, '0', "3"), .. Data("one"), .. Header(second, '0', "3"), .. Data("two"), .. End()], expected);

    [Theory]
    [InlineData('x', "24 path=ants/fl\u00fcgel.jpg\n")]
    [InlineData('L', "ants/fl\u00fcgel.jpg\0")]
    public void Name_InAnExtendedHeader_ThatIsNotUtf8_IsRefused(char type, string name) =>
        AssertRefused(
            [
                .. Header("long", type, Convert.ToString(name.Length, 8)),
                .. Data(name),
                .. Header("ants/1.jpg", '0', "3"),
                .. Data("one"),
                .. End(),
            ],
            @"member 'ants/fl\xFCgel.jpg'"
        );

    /// <summary>An extended name takes the place of the one in the header; U+FFFD itself is UTF-8.</summary>
    [Fact]
    public void Name_ThatIsUtf8_IsRead()
    {
        var name = "ants/caf\u00e9 \ufffd.jpg";
        var record = Encoding.UTF8.GetBytes($"27 path={name}\n");
        Assert.Equal(27, record.Length);
        using var data = Open([
            .. Header("big", 'x', Convert.ToString(record.Length, 8)),
            .. record,
            .. new byte[Block - record.Length],
            .. Header("ants/fl\u00fcgel.jpg", '0', "3"),
            .. Data("one"),
            .. Header("bees/2.jpg", '0', "3"),
            .. Data("two"),
            .. End(),
        ]);
        Assert.Equal([name, "bees/2.jpg"], data.Entries.Select(e => e.Path));
        Assert.DoesNotContain(data.Problems, p => p.Path == "a.tar");
    }

    [Theory]
    [InlineData("size=9223372036854775807")]
    [InlineData("size=99999999999999999999999")]
    [InlineData("mtime=-99999999999999")]
    public void Record_ThatMakesNoSense_IsRefused(string record)
    {
        record = $"{record.Length + 4} {record}\n";
        AssertRefused(
            [
                .. Header("ants/1.jpg", 'x', Convert.ToString(record.Length, 8)),
                .. Data(record),
                .. Header("ants/1.jpg", '0', "3"),
                .. Data("one"),
                .. End(),
            ],
            "is not a whole tar file ("
        );
    }

    [Fact]
    public void Length_InBase256AboveALong_IsRefused()
    {
        var header = Header("ants/1.jpg", '0', "3");
        header.AsSpan(124, 12).Fill(0xEE);
        AssertRefused([.. Sum(header), .. Data("one"), .. End()], "is not a whole tar file (");
    }

    [Theory]
    [InlineData('L', 0x02_0000_0000)]
    [InlineData('x', 0x0100_0000_0000)]
    [InlineData('g', 0x0100_0000_0000)]
    [InlineData('x', 0x0001_0000)]
    public void ExtendedHeader_LongerThanTheFile_IsRefused(char type, long bytes) =>
        AssertRefused(
            [
                .. Header("ants/1.jpg", '0', "3"),
                .. Data("one"),
                .. Header("long", type, bytes),
                .. Data("ants/a long name.jpg"),
                .. Header("ants/2.jpg", '0', "3"),
                .. Data("two"),
                .. End(),
            ],
            $"is not a whole tar file (the extended header at byte 1,024 declares {bytes:N0} bytes, and 2,560 follow)"
        );

    /// <summary>A kind of member that is not read may take the end of the archive with it all the same.</summary>
    [Fact]
    public void SpecialMember_LongerThanTheFile_IsRefused() =>
        AssertRefused(
            [.. Header("ants/1.jpg", '0', "3"), .. Data("one"), .. Header("ants/z", 'Z', 100_000L), .. Data("z"), .. End()],
            "'ants/z' goes on past the end"
        );

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ExtendedHeader_WithoutItsMember_IsRefused(bool hasEnd) =>
        AssertRefused(
            [.. Header("ants/1.jpg", '0', "3"), .. Data("one"), .. Header("long", 'L', "5"), .. Data("name\0"), .. hasEnd ? End() : []],
            "is not a whole tar file (the member behind the extended header at byte 1,024 is missing)"
        );

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(18, false)]
    public void Archive_WithoutItsEndMark_IsNoted(int blocks, bool isNoted)
    {
        using var data = Open([
            .. Header("ants/1.jpg", '0', "3"),
            .. Data("one"),
            .. Header("bees/2.jpg", '0', "3"),
            .. Data("two"),
            .. new byte[blocks * Block],
        ]);
        Assert.Equal(2, data.Entries.Count);
        Assert.Equal(
            isNoted,
            data.Problems.Any(p =>
                p.Path == "a.tar" && p.Problem.StartsWith("the archive has no end mark (two blocks of zeros)", StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public void Archive_CutWithinPadding_IsRefused() =>
        AssertRefused(
            [.. Header("ants/1.jpg", '0', "3"), .. Data("one"), .. Header("bees/2.jpg", '0', "3"), .. "two"u8],
            "is not a whole tar file (it ends within the padding of its last member)"
        );

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Member_WithoutAName_IsNoted(bool isExtended)
    {
        using var data = Open([
            .. Header("ants/1.jpg", '0', "3"),
            .. Data("one"),
            .. isExtended ? [.. Header("long", 'L', "1"), .. Data("\0")] : Array.Empty<byte>(),
            .. Header(isExtended ? "ants/2.jpg" : "", '0', "3"),
            .. Data("two"),
            .. End(),
        ]);
        Assert.Single(data.Entries);
        Assert.Contains(data.Problems, p => p is { Path: "a.tar", Problem: "a member without a name is left out (at byte 1,024)" });
    }

    [Fact]
    public void Header_ThatDoesNotFitItsChecksum_IsRefused()
    {
        var header = Header("ants/1.jpg", '0', "3");
        header[0] = (byte)'u';
        AssertRefused(
            [.. Header("ants/0.jpg", '0', "3"), .. Data("nil"), .. header, .. Data("one"), .. End()],
            "is not a whole tar file (the header at byte 1,024 does not fit its checksum)"
        );
    }

    private Dataset Open(byte[] archive) => DatasetReader.Open(new DatasetOptions { Path = _folder.Write("a.tar", archive) });

    private void AssertRefused(byte[] archive, string expected)
    {
        var error = Assert.Throws<BadInputException>(() => Open(archive));
        Assert.StartsWith(_folder.At("a.tar"), error.Message);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>A header of POSIX ustar, its name in Latin-1, so that tests can have bytes that are not UTF-8.</summary>
    private static byte[] Header(string name, char type, string octalLength)
    {
        var header = new byte[Block];
        Encoding.Latin1.GetBytes(name).CopyTo(header, 0);
        "0000644\0"u8.CopyTo(header.AsSpan(100));
        "0000000\0"u8.CopyTo(header.AsSpan(108));
        "0000000\0"u8.CopyTo(header.AsSpan(116));
        Encoding.ASCII.GetBytes(octalLength.PadLeft(11, '0')).CopyTo(header, 124);
        "00000000000\0"u8.CopyTo(header.AsSpan(136));
        header[156] = (byte)type;
        (type is 'L' ? "ustar  \0"u8 : "ustar\000"u8).CopyTo(header.AsSpan(257));
        return Sum(header);
    }

    /// <summary>The length in base 256, as GNU tar writes large ones.</summary>
    private static byte[] Header(string name, char type, long length)
    {
        var header = Header(name, type, "0");
        header.AsSpan(124, 12).Clear();
        header[124] = 0x80;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(128), length);
        return Sum(header);
    }

    private static byte[] Sum(byte[] header)
    {
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0").CopyTo(header, 148);
        return header;
    }

    private static byte[] Data(string content) =>
        [.. Encoding.Latin1.GetBytes(content), .. new byte[(Block - content.Length % Block) % Block]];

    private static byte[] End() => new byte[2 * Block];
}
