"""What several exercises of chapter 05 use."""

TOY = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
