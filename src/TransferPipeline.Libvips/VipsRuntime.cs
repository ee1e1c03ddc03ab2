namespace TransferPipeline.Libvips;

/// <summary>libvips, started once: one thread per decode, no operation cache, no warnings on stderr, no loader that is not hardened.</summary>
internal static unsafe class VipsRuntime
{
    private static readonly Lazy<string> Started = new(Start);

    /// <summary>Starts libvips if needed and returns its version.</summary>
    /// <exception cref="JobFailedException">The library is missing or cannot start.</exception>
    public static string Version => Started.Value;

    private static string Start()
    {
        try
        {
            if (Vips.Init("transfer") != 0)
                throw new JobFailedException("libvips does not start");
        }
        catch (DllNotFoundException e)
        {
            throw new JobFailedException($"libvips-cpp.so is not in {AppContext.BaseDirectory}; build again with `make build`", e);
        }

        Vips.LogSetDefaultHandler(&Vips.Discard, null);
        Vips.ConcurrencySet(1);
        Vips.CacheSetMax(0);
        Vips.BlockUntrusted(1);
        return $"{Vips.Version(0)}.{Vips.Version(1)}.{Vips.Version(2)}";
    }
}
