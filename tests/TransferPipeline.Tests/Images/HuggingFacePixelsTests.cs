using System.Security.Cryptography;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

/// <summary>Pixels of Hugging Face's image processors, made by tests/rivals/goldens/hugging_face_pixels.py.</summary>
public sealed class HuggingFacePixelsTests
{
    [Theory]
    [InlineData(63, 40, 32, 28, Interpolation.Bicubic, "94cfad12c58305a8184e6232a94a7006bc543193c89971721a01fa9e265e61a5")]
    [InlineData(61, 40, 30, 28, Interpolation.Bicubic, "1224ac16f7003bcae830a0a8a83ef654fe34cf3844a16a79d30bfc2e22ae233e")]
    [InlineData(65, 40, 30, 25, Interpolation.Bilinear, "cd01289274fb0e0972f24a38690ad7d49b41bdc2bdf7bef59be35647391b5696")]
    [InlineData(40, 67, 30, 23, Interpolation.Lanczos, "44a0d31c93693a4f10de50ff6f15f44d9cfe40023397f3e8e96527a2f411c0dc")]
    [InlineData(39, 47, 0, 32, Interpolation.Nearest, "4c03a9078a3f16f1604bfc5f6e6d3dfde61a0013e8457baa5c7fa47ba9595308")]
    [InlineData(37, 50, 37, 30, Interpolation.Bicubic, "6156b349d88f8b204398ffdc706e81aac1dac563dfd14e7bbde1e08125136f7f")]
    [InlineData(30, 21, 0, 24, Interpolation.Bilinear, "15d810b09207249fbf9d0537065a7608cc27340cdc3d28a9b95da8492975c097")]
    [InlineData(200, 33, 20, 26, Interpolation.Bicubic, "ec63f92f28aedcd943f3ed813c3b2c12cad079af43c308723d157fc9a7462f9d")]
    public void RunBytes_CropRoundsDown_GivesTheProcessorsPixels(
        int width,
        int height,
        int edge,
        int crop,
        Interpolation interpolation,
        string sha256
    )
    {
        var photo = new RgbImage();
        photo.Resize(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                for (var c = 0; c < 3; c++)
                    photo.Row(y)[x * 3 + c] = (byte)(7 * x + 13 * y + 29 * c + x * y);
            }
        }

        var preprocessing = new Preprocessing
        {
            ResizeShortSide = edge,
            CropWidth = crop,
            CropHeight = crop,
            CropRoundsDown = true,
            Interpolation = interpolation,
        };
        var pixels = new byte[crop * crop * 3];
        new Preprocessor(preprocessing).RunBytes(photo, pixels);
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(pixels)));
    }
}
