"""Right solutions of handout C, 4.2, 5.2 and 6.2, written as other people write them: each must keep full marks."""

from graders.model import Variant

FIRST = 'train(SimpleNamespace(model="PoolUpsampleNet", experiment_name="pool_upsample", **settings))'
SECOND = 'train(SimpleNamespace(model="ConvTransposeNet", experiment_name="conv_transpose", **settings))'
THIRD = 'train(SimpleNamespace(model="UNet", experiment_name="unet", **settings))'
ADAM = "torch.optim.Adam(cnn.parameters(), lr=args.learn_rate)"
STEP = "            loss.backward()\n            optimizer.step()\n"
TO_DEVICE = "    cnn.to(DEVICE)\n"
READ = """    data = np.load(path)
    sets = []
    for part in ("train", "test"):
        labels = data[f"y_{part}"].reshape(-1)
        images = data[f"x_{part}"][labels == HORSE]
        sets.append(images.transpose(0, 3, 1, 2).astype(np.float32) / 255.0)
    return sets
"""
# As the notebook of the course reads its data: batches of ten thousand, of which it keeps the horses.
OF_THE_COURSE = """    import pickle
    import tarfile

    if not os.path.exists("data/cifar-10-batches-py"):
        with tarfile.open("data/cifar-10-batches-py.tar.gz") as archive:
            archive.extractall("data")
    x_train = np.zeros((50000, 3, 32, 32), dtype="uint8")
    y_train = np.zeros((50000,), dtype="uint8")
    for at in range(6):
        name = f"data_batch_{at + 1}" if at < 5 else "test_batch"
        with open(os.path.join("data/cifar-10-batches-py", name), "rb") as stream:
            batch = {key.decode(): value for key, value in pickle.load(stream, encoding="bytes").items()}
        pixels = batch["data"].reshape(10000, 3, 32, 32)
        if at < 5:
            x_train[at * 10000 : (at + 1) * 10000] = pixels
            y_train[at * 10000 : (at + 1) * 10000] = batch["labels"]
    both = ((x_train, y_train), (pixels, np.array(batch["labels"])))
    return [(x / 256.0)[y == HORSE].astype(np.float32) for x, y in both]
"""
COLOURS = "    colours = cluster_colours(train_images, args.num_colours)\n"
OF_THE_FILE = """    colours = np.load("data/colours/colour_kmeans24_cat7.npy", allow_pickle=True, encoding="bytes")[0]
    colours = colours[: args.num_colours]
"""
OWN_LOOP = """unet = UNet(3, 32, 24, 1)
horses, others = load_horses(DATA)
colours = cluster_colours(horses, settings["num_colours"])
pairs = [(torch.from_numpy(get_grey(x)), torch.from_numpy(get_rgb_cat(x, colours)[:, 0])) for x in (horses, others)]
sets = [torch.utils.data.TensorDataset(*pair) for pair in pairs]
loaders = [torch.utils.data.DataLoader(one, batch_size=100, shuffle=True) for one in sets]
optimizer = torch.optim.SGD(unet.parameters(), lr=0.1, momentum=0.9)
curve = []
for epoch in range(26):
    unet.train()
    for x, y in loaders[0]:
        def closure():
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(unet.forward(x), y)
            loss.backward()
            return loss
        curve.append(optimizer.step(closure).item())
    unet.eval()
    with torch.inference_mode():
        validation = [nn.functional.cross_entropy(unet(x), y).item() for x, y in loaders[1]]
    print(f"epoch {epoch + 1}: loss {curve[-1]:.4f}, validation {np.mean(validation):.4f}")


# %%
figure, axes = plt.subplots()
axes.semilogy(curve)
figure"""
TWICE = """unet = UNet(3, 32, 24, 1)
for epochs in (15, 10):
    train(SimpleNamespace(model="UNet", experiment_name="unet", **{**settings, "epochs": epochs}), unet)"""
WRAPPED = """class Wrapped(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


unet = train(SimpleNamespace(experiment_name="unet", **settings), Wrapped(UNet(3, 32, 24, 1)))"""
SIZES = """

# %%
for batch_size in (50, 200):
    train(SimpleNamespace(model="ConvTransposeNet", experiment_name="sizes", **{
        **settings, "epochs": 2, "plot": False, "batch_size": batch_size}))"""

VARIANTS = (
    Variant(
        "4.2-run-as-the-course",
        "4.2",
        "data and colours as the notebook of the course reads them, on a GPU that is not there",
        (
            (READ, OF_THE_COURSE),
            (COLOURS, OF_THE_FILE),
            (TO_DEVICE, "    cnn.cuda()\n"),
            ('DEVICE = "cuda" if torch.cuda.is_available() else "cpu"', 'DEVICE = "cuda:0"'),
            ("    torch.manual_seed(args.seed)\n", "    torch.set_num_threads(5)\n    torch.manual_seed(args.seed)\n"),
        ),
    ),
    Variant(
        "5.2-run-longer",
        "5.2",
        "more epochs, another optimizer, a schedule",
        (
            (SECOND, SECOND.replace("**settings", '**{**settings, "epochs": 30}')),
            (
                ADAM,
                "torch.optim.AdamW(cnn.parameters(), lr=args.learn_rate)\n"
                "    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 100)",
            ),
            (
                STEP,
                STEP.replace("loss.backward()", "torch.autograd.backward(loss)") + "            schedule.step()\n",
            ),
        ),
    ),
    Variant(
        "5.2-run-sizes",
        "5.2",
        "short trainings with other batch sizes below it (Section 5.5)",
        ((SECOND, SECOND + SIZES),),
    ),
    Variant(
        "6.2-run-own-loop",
        "6.2",
        "a loop of one's own with a data loader and a closure, the curve in a cell below",
        (("unet = " + THIRD, OWN_LOOP),),
    ),
    Variant("6.2-run-twice", "6.2", "the 25 epochs in two goes", (("unet = " + THIRD, TWICE),)),
    Variant("6.2-run-wrapped", "6.2", "the network within another module", (("unet = " + THIRD, WRAPPED),)),
)
