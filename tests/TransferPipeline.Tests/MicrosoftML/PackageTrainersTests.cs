using TransferPipeline.Packages;
using TransferPipeline.MicrosoftML;
using TransferPipeline.TorchSharp;

namespace TransferPipeline.Tests.MicrosoftML;

public sealed class PackageTrainersTests
{
    /// <summary>The build with the npm set lists what it lacks by name; those names are the ones that the packages bring.</summary>
    [Fact]
    public void Unavailable_NamesTheHeadsThatThePackagesBring() => Assert.Equal(
        [.. MicrosoftMLHeads.Trainers.Concat(TorchHeads.Trainers).Select(t => t.Name)],
        PackageTrainers.Unavailable.Select(t => t.Name));
}
