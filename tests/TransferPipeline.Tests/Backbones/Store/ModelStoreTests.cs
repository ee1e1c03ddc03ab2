using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Backbones.Store;

public sealed class ModelStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>As in <c>dotnet fsi</c> with <c>#r "nuget: TransferPipeline.Default"</c>.</summary>
    [Fact]
    public void BuiltInFolder_OfAScript_IsThePackages()
    {
        var (program, library) = (_folder.At("fsi"), _folder.At("package/lib/net10.0/TransferPipeline.dll"));
        Assert.Equal(Path.Combine(program, "models"), ModelStore.BuiltInFolder(program, library));
        Directory.CreateDirectory(_folder.At("package/models"));
        Assert.Equal(_folder.At("package/models"), ModelStore.BuiltInFolder(program, library));
        Assert.Equal(Path.Combine(program, "models"), ModelStore.BuiltInFolder(program, ""));
        Directory.CreateDirectory(Path.Combine(program, "models"));
        Assert.Equal(Path.Combine(program, "models"), ModelStore.BuiltInFolder(program, library));
    }

    [Fact]
    public void List_ShippedManifests_AreAllReadable()
    {
        var models = Store(builtIn: Path.Combine(AppContext.BaseDirectory, "models")).List();
        Assert.True(models.Count >= 19);
        Assert.All(models, m => Assert.Equal(m.Manifest.Name + ".yaml", Path.GetFileName(m.ManifestFile)));
        Assert.All(models, m => Assert.Equal(m.Manifest.InputSize, m.Manifest.Preprocessing.CropHeight));
        Assert.Equal(["efficientnet-lite0"], models.Where(m => m.File is not null).Select(m => m.Manifest.Name));
        var resnet = models.Single(m => m.Manifest.Name == "resnet18").Manifest;
        Assert.Equal((46748516, "BSD-3-Clause", 3), (resnet.Bytes, resnet.License, resnet.Sources.Count));
        Assert.Equivalent(Preprocessing.ImageNet(224), resnet.Preprocessing, strict: true);
        Assert.Equal(299, models.Single(m => m.Manifest.Name == "inception_v3").Manifest.InputSize);
    }

    [Fact]
    public void List_ShippedManifests_AgreeWithTheZoosTable()
    {
        var zoo = File.ReadLines(SharedData.RequireModel("zoo.tsv"))
            .Select(l => l.Split('\t'))
            .DistinctBy(f => f[2])
            .ToDictionary(f => f[2], f => (Path: f[0], Bytes: f[1]));
        foreach (
            var manifest in Store(builtIn: Path.Combine(AppContext.BaseDirectory, "models"))
                .List()
                .Select(m => m.Manifest)
                .Where(m => m.Sources.Count > 0)
        )
        {
            var (path, bytes) = zoo[manifest.Sha256];
            Assert.Equal(bytes, manifest.Bytes.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Assert.Contains(manifest.Sources, s => s.EndsWith(path, StringComparison.Ordinal));
            Assert.Contains(
                manifest.Sources,
                s => s.Contains("onnxmodelzoo/" + path.Split('/')[1] + "/resolve/main/" + path.Split('/')[2], StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public void Resolve_DefaultModel_ComesWithTheProgram()
    {
        var model = ModelStore.Default().Resolve("efficientnet-lite0");
        Assert.Equal("463ee61b1d544e43e313bfbb6b79cf1821574acda3dfd7c5dbe3f93dcec147bf", model.Sha256);
        var expected = new Preprocessing
        {
            ResizeShortSide = 256,
            Interpolation = Interpolation.Bicubic,
            CropWidth = 224,
            CropHeight = 224,
            Offset = 127,
            Divisor = 128,
        };
        Assert.Equivalent(expected, model.Preprocessing, strict: true);
    }

    [Fact]
    public void Resolve_MisspeltName_SuggestsTheNearest()
    {
        var error = Assert.Throws<UsageException>(() => ModelStore.Default().Resolve("resnet51"));
        Assert.Contains("did you mean 'resnet50'?", error.Message);
    }

    [Fact]
    public void Resolve_FileOfUnknownModel_TakesTorchvisionsDefault()
    {
        var file = SmallModel.Plain().Save(_folder, "mine.onnx");
        var model = Store().Resolve(file);
        Assert.Equal(("mine", file), (model.Name, model.File));
        Assert.Null(model.Manifest);
        Assert.Equivalent(Preprocessing.ImageNet(SmallModel.Size), model.Preprocessing, strict: true);
    }

    [Fact]
    public void Resolve_FileWithAKnownHash_TakesItsManifest()
    {
        var file = Path.Combine(_folder.Root, "renamed.onnx");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "models", "efficientnet-lite0.onnx"), file);
        var model = ModelStore.Default().Resolve(file);
        Assert.Equal(("efficientnet-lite0", file, 127.0), (model.Name, model.File, model.Preprocessing.Offset));
    }

    [Fact]
    public void Resolve_FileOfSeveralNames_IsRefusedWhereTheyDiffer()
    {
        var (store, file) = (Store(), SmallModel.Plain().Save(_folder, "mine.onnx"));
        store.Add(file, "b");
        store.Add(file, "a");
        var model = store.Resolve(file);
        Assert.Equal("a", model.Name);
        var line = Assert.Single(model.Notes([CutRequest.Default]));
        Assert.Contains("mine.onnx: known by its SHA-256; preprocessing: short side", line);
        Assert.EndsWith("(the manifest of 'a')", line);
        Assert.Empty(store.Resolve("a").Notes([CutRequest.Default]));

        store.Add(file, "c", p => p with { Interpolation = Interpolation.Bicubic });
        Assert.Equal(
            "mine.onnx: several models of the store are this file, with different preprocessing or cuts: 'a', 'b', 'c'; "
                + "give one of these names",
            Assert.Throws<UsageException>(() => store.Resolve(file)).Message
        );
        Assert.Equal(Interpolation.Bicubic, store.Resolve("c").Preprocessing.Interpolation);
    }

    [Fact]
    public void Add_PreprocessingBesideAManifest_IsRefused()
    {
        var (store, file) = (Store(), SmallModel.Plain().Save(_folder, "mine.onnx"));
        File.Delete(store.Add(file, "mine").File!);
        var error = Assert.Throws<UsageException>(() => store.Add(file, "mine", p => p with { Bgr = true }));
        Assert.Contains("the manifest 'mine' states the preprocessing of this file already", error.Message);
        Assert.False(store.Add(file, "mine").Manifest.Preprocessing.Bgr);
    }

    [Fact]
    public void Resolve_FileWithSidecar_ChecksItsHash()
    {
        var store = Store();
        var added = store.Add(
            SmallModel.Plain().Save(_folder, "mine.onnx"),
            "mine",
            _ => new Preprocessing
            {
                ResizeHeight = 12,
                ResizeWidth = 12,
                Mean = [0, 0, 0],
                Std = [1, 1, 0.5],
                Bgr = true,
            }
        );
        var elsewhere = _folder.At("elsewhere", "model.onnx");
        File.Copy(added.File!, elsewhere);
        File.Copy(added.ManifestFile, _folder.At("elsewhere", "model.yaml"));
        var model = new ModelStore(_folder.At("none"), _folder.At("none")).Resolve(elsewhere);
        Assert.Equal("mine", model.Name);
        Assert.Equivalent(added.Manifest.Preprocessing, model.Preprocessing, strict: true);

        var bytes = File.ReadAllBytes(elsewhere);
        bytes[^3] ^= 1;
        File.WriteAllBytes(elsewhere, bytes);
        Assert.Contains("its SHA-256 is", Assert.Throws<BadInputException>(() => store.Resolve(elsewhere)).Message);
    }

    [Fact]
    public void Add_ThenResolveListVerify_KnowsTheModel()
    {
        var store = Store();
        var file = SmallModel.Plain().Save(_folder, "mine.onnx");
        // What another process downloads under the same name stays its own.
        Directory.CreateDirectory(store.UserFolder);
        var other = Path.Combine(store.UserFolder, "mine.onnx.part");
        File.WriteAllText(other, "first bytes");
        store.Add(file);
        Assert.Equal("first bytes", File.ReadAllText(other));
        Assert.Equal(["mine"], store.List().Select(m => m.Manifest.Name));
        Assert.Equal(store.Verify("mine"), store.Resolve("mine").File);
        Assert.Empty(Directory.GetFiles(store.UserFolder, "*.tmp"));
        Assert.Contains("already", Assert.Throws<UsageException>(() => store.Add(file)).Message);
        Assert.Contains("not a model name", Assert.Throws<UsageException>(() => store.Add(file, "../evil")).Message);
    }

    [Fact]
    public void Resolve_StoredFileThatIsALink_IsThatWhichItLeadsTo()
    {
        var store = Store();
        var file = store.Add(SmallModel.Plain().Save(_folder, "mine.onnx")).File!;
        File.Move(file, _folder.At("elsewhere.onnx"));
        File.CreateSymbolicLink(file, _folder.At("elsewhere.onnx"));
        Assert.Equal(file, store.Verify("mine"));
        Assert.Equal(file, store.Resolve("mine").File);
    }

    [Fact]
    public void Resolve_DamagedStoredFile_IsNeverUsed()
    {
        var store = Store();
        var entry = store.Add(SmallModel.Plain().Save(_folder, "mine.onnx"));
        var bytes = File.ReadAllBytes(entry.File!);
        bytes[^1] ^= 1;
        File.WriteAllBytes(entry.File!, bytes);
        Assert.Contains("SHA-256", Assert.Throws<BadInputException>(() => store.Resolve("mine")).Message);
        File.WriteAllBytes(entry.File!, bytes[..^1]);
        Assert.Contains("bytes", Assert.Throws<BadInputException>(() => store.Verify("mine")).Message);
    }

    [Fact]
    public void Resolve_ModelNotHere_SaysHowToGetIt()
    {
        var store = Store(builtIn: Path.Combine(AppContext.BaseDirectory, "models"));
        var error = Assert.Throws<UsageException>(() => store.Resolve("vgg16"));
        Assert.Contains("'transfer models pull vgg16' downloads 553.4 MB", error.Message);
        Assert.Contains(Path.Combine(store.UserFolder, "vgg16.onnx"), error.Message);
    }

    [Theory]
    [InlineData("name: x\nfile: x.onnx\nlicence: MIT\n", ":3: unknown key 'licence'; did you mean 'license'?")]
    [InlineData("name: x\nfile: ../x.onnx\n", ":2: file is '../x.onnx'")]
    [InlineData("name: x\nfile: x.onnx\nsha256: abc\n", ":3: sha256 is 'abc'")]
    [InlineData("name: [x\n", "not valid YAML")]
    [InlineData("- a\n- b\n", "expected the manifest of one model")]
    [InlineData("", "expected the manifest of one model")]
    public void Read_BadManifest_NamesLineAndCure(string text, string expected)
    {
        var file = _folder.Write("x.yaml", text);
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => ManifestYaml.Read(file)).Message);
    }

    [Fact]
    public void Read_SourceOfAnotherScheme_IsRefused()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "models", "resnet18.yaml"))
            .Replace("https://", "ftp://", StringComparison.Ordinal);
        Assert.Contains(
            "' is not an http or https address",
            Assert.Throws<BadInputException>(() => ManifestYaml.Parse("m.yaml", text)).Message
        );
    }

    [Fact]
    public void Read_WordThatIsNoInterpolation_SuggestsTheNearest()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "models", "resnet18.yaml"))
            .Replace("bilinear", "bilinaer", StringComparison.Ordinal);
        Assert.Contains("did you mean 'bilinear'?", Assert.Throws<BadInputException>(() => ManifestYaml.Parse("m.yaml", text)).Message);
    }

    [Theory]
    [InlineData("crop: 224", "crop: 224\n  bgr: True", "'True' is neither true nor false")]
    [InlineData("crop: 224", "crop: 224\n  bgr: yes", "'yes' is neither true nor false")]
    [InlineData("offset: 127\n  divisor: 128", "offset: 0\n  divisor: 0", "'0' is not a number greater than 0")]
    [InlineData("offset: 127\n  divisor: 128", "mean: [0, 0, 0]\n  std: [0, 1, 1]", "'0' is not a number greater than 0")]
    [InlineData("offset: 127\n  divisor: 128", "mean: [0, 0, 0]", "expected either mean and std, or offset and divisor")]
    [InlineData("offset: 127\n  divisor: 128", "std: [1, 1, 1]", "expected either mean and std, or offset and divisor")]
    [InlineData("offset: 127", "offset: 127\n  std: [1, 1, 1]", "expected either mean and std, or offset and divisor")]
    [InlineData("  offset: 127\n  divisor: 128\n", "", "expected either mean and std, or offset and divisor")]
    [InlineData("  interpolation: bicubic\n", "", "'resize' without 'interpolation'; expected the filter of the resize too")]
    [InlineData("size: 224", "size: 299", "the preprocessing makes photos of 224 x 224 pixels, but input.size is 299")]
    [InlineData("crop: 224", "crop: [240, 224]", "the preprocessing makes photos of 240 x 224 pixels, but input.size is 224")]
    [InlineData("resize: 256", "resize: [-5, 7.5]", "'-5' is not a side in pixels: expected a whole number from 1 to 100000")]
    [InlineData("resize: 256", "resize: [5, 7.5]", "'7.5' is not a side in pixels: expected a whole number from 1 to 100000")]
    [InlineData("resize: 256", "resize: [256]", "1 sides, expected one number, or height and width in brackets")]
    [InlineData("crop: 224", "crop: [224, 0]", "'0' is not a side in pixels: expected a whole number from 1 to 100000")]
    [InlineData("size: 224", "size: 4294967520", "'4294967520' is not a side in pixels: expected a whole number from 1 to 100000")]
    public void Read_ValueThatWouldMeanAnother_IsRefused(string right, string wrong, string problem)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "models", "efficientnet-lite0.yaml"));
        Assert.Contains(right, text, StringComparison.Ordinal);
        var error = Assert.Throws<BadInputException>(() =>
            ManifestYaml.Parse("m.yaml", text.Replace(right, wrong, StringComparison.Ordinal))
        );
        Assert.Matches($@"^m\.yaml:\d+: {System.Text.RegularExpressions.Regex.Escape(problem)}$", error.Message);
    }

    private ModelStore Store(string? builtIn = null) => new(builtIn ?? _folder.At("builtin"), Path.Combine(_folder.Root, "store"));
}
