using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Tests.Heads.Linear;

public sealed class RowSetTests
{
    [Fact]
    public unsafe void View_ArrayOfTheCaller_StaysUnderTheAddresses()
    {
        // Garbage before the array: a compaction moves what lies behind it.
        var garbage = Enumerable.Range(0, 2000).Select(_ => new byte[1000]).ToArray();
        var values = new float[60 * 8];
        var x = new FeatureMatrix(60, 8, values);
        using var set = RowSet.View(x, [2, 5], new int[60]);
        using var part = set.OfClass(0);
        Array.Clear(garbage);
        for (var i = 0; i < 3; i++)
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        fixed (float* at = values)
        {
            Assert.Equal((nint)(at + 2 * 8), (nint)set.Rows[0]);
            Assert.Equal((nint)(at + 5 * 8), (nint)part.Rows[1]);
        }
    }
}
