MODEL = "model"
