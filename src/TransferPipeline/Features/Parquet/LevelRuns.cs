namespace TransferPipeline.Features.Parquet;

/// <summary>Repetition and definition levels of a page (Parquet's RLE and bit-packing hybrid), which are only checked: the form of all parts is one list of the same length a row.</summary>
internal static class LevelRuns
{
    /// <summary>Whether the repetition levels are those of lists of <paramref name="width"/> values each.</summary>
    /// <param name="count">Values of the page.</param>
    /// <param name="position">Values of the current list before the page, <paramref name="width"/> for a finished one; becomes that at the page's end.</param>
    public static bool AreRows(ReadOnlySpan<byte> runs, long count, int width, ref int position)
    {
        while (count > 0)
        {
            if (!Head(ref runs, out var length, out var packed) || length == 0)
                return false;
            length = Math.Min(length, count);
            count -= length;
            if (!packed)
            {
                if (runs[0] > 1 || (runs[0] == 0 && (length != 1 || position != width)) || (runs[0] == 1 && length > width - position))
                    return false;
                position = runs[0] == 0 ? 1 : position + (int)length;
                runs = runs[1..];
                continue;
            }

            for (long done = 0; done < length; done += 8)
            {
                var (levels, used) = (runs[(int)(done / 8)], (int)Math.Min(8, length - done));
                if (levels == byte.MaxValue && used <= width - position)
                {
                    position += used;
                    continue;
                }

                for (var bit = 0; bit < used; bit++)
                {
                    var first = (levels >> bit & 1) == 0;
                    if (first != (position == width))
                        return false;
                    position = first ? 1 : position + 1;
                }
            }

            runs = runs[(int)((length + 7) / 8)..];
        }

        return true;
    }

    /// <summary>Whether all definition levels are <paramref name="level"/> (1 to 3).</summary>
    public static bool AreAll(ReadOnlySpan<byte> runs, long count, int level)
    {
        var bits = level > 1 ? 2 : 1;
        while (count > 0)
        {
            if (!Head(ref runs, out var length, out var packed, bits) || length == 0)
                return false;
            length = Math.Min(length, count);
            count -= length;
            if (!packed)
            {
                if (runs[0] != level)
                    return false;
                runs = runs[1..];
                continue;
            }

            for (long i = 0; i < length; i++)
            {
                if ((runs[(int)(i * bits / 8)] >> (int)(i * bits % 8) & ((1 << bits) - 1)) != level)
                    return false;
            }

            runs = runs[(int)((length * bits + 7) / 8)..];
        }

        return true;
    }

    /// <summary>Reads a run's head: how many levels it has, and whether each has its own bits or all have the value of the next byte.</summary>
    /// <returns>False when the run's bytes are not all there.</returns>
    private static bool Head(ref ReadOnlySpan<byte> runs, out long length, out bool packed, int bits = 1)
    {
        var (head, at) = (0UL, 0);
        (length, packed) = (0, false);
        do
        {
            if (at == runs.Length || at > 4)
                return false;
            head |= (ulong)(runs[at] & 127) << (7 * at);
        }
        while (runs[at++] > 127);
        runs = runs[at..];
        packed = (head & 1) == 1;
        length = (long)(head >> 1) * (packed ? 8 : 1);
        return packed ? length / 8 * bits <= runs.Length : runs.Length > 0;
    }
}
