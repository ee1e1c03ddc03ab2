namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Which value each place of a side takes that is resized to its nearest neighbours.</summary>
internal static class NearestPlaces
{
    /// <summary>In float32 as ONNX Runtime, whose rounding decides at halves.</summary>
    /// <param name="places">ONNX's coordinate_transformation_mode.</param>
    /// <param name="nearest">ONNX's nearest_mode; "simple" for Resize before opset 11.</param>
    /// <exception cref="NotSupportedException">A mode that is not known here.</exception>
    public static long[] Of(long given, long size, float factor, string places, string nearest)
    {
        var result = new long[size];
        for (var i = 0; i < size; i++)
            // Without a change of length ONNX Runtime copies.
            result[i] = factor == 1 ? i : Math.Clamp(Round(Place(i, given, size, factor, places), factor, nearest), 0, given - 1);
        return result;
    }

    private static float Place(float i, float given, float size, float factor, string places) =>
        places switch
        {
            "asymmetric" => i / factor,
            "half_pixel" => (i + 0.5f) / factor - 0.5f,
            "pytorch_half_pixel" => size > 1 ? (i + 0.5f) / factor - 0.5f : 0,
            "tf_half_pixel_for_nn" => (i + 0.5f) / factor,
            "align_corners" => size == 1 ? 0 : i * (given - 1) / (size - 1),
            _ => throw new NotSupportedException($"a Resize of mode nearest with {places}"),
        };

    private static long Round(float place, float factor, string nearest) =>
        nearest switch
        {
            "floor" => (long)MathF.Floor(place),
            "ceil" => (long)MathF.Ceiling(place),
            "round_prefer_ceil" => (long)MathF.Round(place, MidpointRounding.AwayFromZero),
            "round_prefer_floor" => place == (long)place + 0.5f ? (long)place : (long)MathF.Round(place, MidpointRounding.AwayFromZero),
            "simple" => factor < 1 ? (long)MathF.Ceiling(place) : (long)place,
            _ => throw new NotSupportedException($"a Resize with nearest_mode {nearest}"),
        };
}
