namespace TransferPipeline.Tests.LibjpegTurbo;

/// <summary>Seeded damage to files.</summary>
internal static class Damage
{
    /// <summary>A copy in which one to three bytes are others, half of them among the first thousand.</summary>
    public static byte[] Changed(byte[] whole, Random random)
    {
        var changed = whole.ToArray();
        for (var n = random.Next(1, 4); n > 0; n--)
            changed[random.Next(random.Next(2) == 0 ? Math.Min(changed.Length, 1000) : changed.Length)] = (byte)random.Next(256);
        return changed;
    }
}
