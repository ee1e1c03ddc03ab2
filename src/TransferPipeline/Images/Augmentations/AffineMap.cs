namespace TransferPipeline.Images.Augmentations;

/// <summary>
/// Where in a picture an output position comes from: (A x + B y + C, D x + E y + F); sampled as Pillow's Geometry.c does.
/// </summary>
internal readonly record struct AffineMap(double A, double B, double C, double D, double E, double F)
{
    /// <summary>Nearest pixel, in 16.16 fixed point where the coordinates fit it.</summary>
    public void Nearest(RgbImage from, RgbImage to, byte fill)
    {
        to.Pixels.Fill(fill);
        // Pillow's own condition: beyond 15 bits of whole pixels a 16.16 number overflows.
        if (FitsFixed(0, 0) && FitsFixed(to.Width, 0) && FitsFixed(0, to.Height) && FitsFixed(to.Width, to.Height))
            NearestFixed(from, to);
        else
            NearestDouble(from, to);
    }

    private void NearestFixed(RgbImage from, RgbImage to)
    {
        int a = Fixed(A),
            b = Fixed(B),
            d = Fixed(D),
            e = Fixed(E);
        // The first pixel's center, rounded once; each step adds rounded numbers, as Pillow's affine_fixed does.
        int rowX = Fixed(C + A * 0.5 + B * 0.5),
            rowY = Fixed(F + D * 0.5 + E * 0.5);
        for (var y = 0; y < to.Height; y++, rowX += b, rowY += e)
        {
            var row = to.Row(y);
            int fromX = rowX,
                fromY = rowY;
            for (var x = 0; x < row.Length; x += 3, fromX += a, fromY += d)
                Copy(from, fromX >> 16, fromY >> 16, row[x..]);
        }
    }

    private void NearestDouble(RgbImage from, RgbImage to)
    {
        // The order of the terms is Pillow's, since floating-point sums depend on it.
        double rowX = C + B * 0.5 + A * 0.5,
            rowY = F + E * 0.5 + D * 0.5;
        for (var y = 0; y < to.Height; y++, rowX += B, rowY += E)
        {
            var row = to.Row(y);
            double fromX = rowX,
                fromY = rowY;
            for (var x = 0; x < row.Length; x += 3, fromX += A, fromY += D)
                // A cast alone would take -0.5 for column 0.
                Copy(from, fromX < 0 ? -1 : (int)fromX, fromY < 0 ? -1 : (int)fromY, row[x..]);
        }
    }

    /// <summary>Bilinear between pixel centres; the outermost half pixel repeats the edge.</summary>
    public void Bilinear(RgbImage from, RgbImage to, byte fill)
    {
        to.Pixels.Fill(fill);
        for (var y = 0; y < to.Height; y++)
        {
            var row = to.Row(y);
            for (var x = 0; x < to.Width; x++)
            {
                var fromX = A * (x + 0.5) + B * (y + 0.5) + C;
                var fromY = D * (x + 0.5) + E * (y + 0.5) + F;
                if (fromX < 0 || fromX >= from.Width || fromY < 0 || fromY >= from.Height)
                    continue;
                fromX -= 0.5;
                fromY -= 0.5;
                int left = (int)Math.Floor(fromX),
                    top = (int)Math.Floor(fromY);
                double shareX = fromX - left,
                    shareY = fromY - top;
                var x0 = Math.Max(left, 0) * 3;
                var x1 = Math.Min(left + 1, from.Width - 1) * 3;
                var upper = from.Row(Math.Max(top, 0));
                var lower = top + 1 < from.Height ? from.Row(top + 1) : upper;
                for (var c = 0; c < 3; c++)
                {
                    var above = upper[x0 + c] + (upper[x1 + c] - upper[x0 + c]) * shareX;
                    var below = top + 1 < from.Height ? lower[x0 + c] + (lower[x1 + c] - lower[x0 + c]) * shareX : above;
                    // Truncated, not rounded, as Pillow's cast.
                    row[x * 3 + c] = (byte)(above + (below - above) * shareY);
                }
            }
        }
    }

    private static void Copy(RgbImage from, int x, int y, Span<byte> to)
    {
        if ((uint)x < (uint)from.Width && (uint)y < (uint)from.Height)
            from.Row(y).Slice(x * 3, 3).CopyTo(to);
    }

    private bool FitsFixed(int x, int y) => Math.Abs(x * A + y * B + C) < 32768.0 && Math.Abs(x * D + y * E + F) < 32768.0;

    private static int Fixed(double value) => (int)Math.Floor(value * 65536.0 + 0.5);
}
