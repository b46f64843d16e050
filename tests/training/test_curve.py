from PIL import Image

from causalablate.training.curve import learning_curve


def test_the_curve_is_drawn_with_gaps_for_absent_values(tmp_path):
    row = {"accuracy": 0.5, "accuracy_coarse": 0.3, "accuracy.count": 0.7, "loss_coarse": 1.0}
    log = [{"step": 1, "stage": "encoder_warmup", **row}, {"step": 2, "stage": "main", "loss_fine": 0.5, **row}]
    learning_curve(log, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as image:
        assert image.size[0] > 800 and len(image.convert("RGB").getcolors(100_000)) > 20
