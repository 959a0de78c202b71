"""A made table of people's identifiers in Chinese and English: valid ones, and decoys that only look like them.

A decoy is a valid number with a digit changed so that its sum fails, or something that stands in such columns without being one
(`unknown`, a lot number, a place).
"""

# ruff: noqa: E501 - a list of words, and one way of making a value, read best in one line

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from stdnum import luhn

import identifiers_made as made
from identifiers_made import Make

__all__ = ["DECOYS", "KINDS", "MadeColumn", "made_columns"]

SHARE_OF_DECOYS = 0.15


@dataclass(frozen=True)
class MadeColumn:
    """One column.

    Args:
        values: its cells.
        kind: what it holds; None: nothing that identifies people.
        valid: which cells do.
    """

    values: pl.Series
    kind: str | None
    valid: pl.Series


_NONE = made.pick("unknown,N/A,-,待补充,未提供,none,test,无,匿名")
_LOT = lambda random: f"LOT-{random.integers(1000, 99999)}"  # noqa: E731

KINDS: dict[str, list[tuple[Make, Make, tuple[str, ...]]]] = {
    "name": [(made.english_name, made.pick("Wireless Mouse,unknown,N/A 17,Blue Chair,Annual Report,not given"), ("full_name", "c01")),
             (made.chinese_name, made.pick("待补充,无线鼠标,测试,A-17,不详"), ("姓名", "c02"))],
    "phone": [(made.chinese_phone, lambda r: "1" + str(r.choice(list("012"))) + made.digits(r, 9), ("手机号", "c03")),
              (made.english_phone, lambda r: made.digits(r, 6) + "-" + made.digits(r, 2), ("contact_phone", "c04"))],
    "email": [(made.email, made.pick("@handle,a@b,not an email,user at example.com,x@@y.com"), ("email", "邮箱", "c05"))],
    "chinese_id": [(made.chinese_id, made.bad_chinese_id, ("身份证号", "id_card", "c06"))],
    "iban": [(made.iban, made.broken(made.iban), ("iban", "c07"))],
    "card": [(made.card, made.broken(made.card), ("credit_card", "银行卡号", "c08"))],
    "us_ssn": [(made.ssn, made.bad_ssn, ("ssn", "c09"))],
    "uk_nhs": [(made.nhs, made.broken(made.nhs), ("nhs_number", "c10"))],
    "german_tax_id": [(made.german, made.broken(made.german), ("steuer_id", "c11"))],
    "french_nir": [(made.french, made.broken(made.french), ("nir", "c12"))],
    "spanish_id": [(made.dni, made.bad_letter, ("dni", "c13"))],
    "brazilian_cpf": [(made.cpf, made.broken(made.cpf), ("cpf", "c14"))],
    "indian_aadhaar": [(made.aadhaar, made.broken(made.aadhaar), ("aadhaar", "c15"))],
    "indian_pan": [(made.pan, made.bad_pan, ("pan_no", "c16"))],
    "vin": [(made.vin, made.bad_vin, ("vin", "车架号", "c17"))],
    "plate": [(made.plate, _LOT, ("车牌号", "c18"))],
    "address": [(made.address_english, made.pick("Paris,unknown,24,New York City"), ("home_address", "c19")),
                (made.address_chinese, made.pick("北京市,广东省,不详,无"), ("家庭住址", "c20"))],
    "coordinates": [(made.coordinates, lambda r: f"{r.uniform(100, 999):.3f},{r.uniform(200, 999):.3f}", ("coordinates", "坐标", "c21"))],
    "ip": [(lambda r: ".".join(map(str, r.integers(1, 255, 4))), lambda r: ".".join(map(str, r.integers(256, 999, 4))), ("client_ip", "c22")),
           (lambda r: ":".join(f"{x:x}" for x in r.integers(1, 65536, 8)), lambda r: f"{r.integers(0, 24):02d}:{r.integers(0, 60):02d}", ("ipv6", "c23"))],
    "mac": [(lambda r: ":".join(f"{x:02X}" for x in r.integers(0, 256, 6)), lambda r: ":".join(f"{x:02X}" for x in r.integers(0, 256, 5)), ("mac_address", "c24"))],
    "url": [(made.url, made.pick("homepage,see profile,index.html page,C:/temp"), ("homepage", "c25"))],
    "passport": [(lambda r: f"{r.choice(list('EGP'))}{made.digits(r, 8)}", _NONE, ("passport_no", "护照号码"))],
    "bank_account": [(lambda r: made.digits(r, int(r.choice([8, 10, 12, 16, 19])), "123456789"), _NONE, ("account_number", "银行账号"))],
    "birth_date": [(lambda r: made.date(r, 1935, 2015), lambda r: made.date(r, 2100, 2900), ("date_of_birth", "出生日期"))],
    "postcode": [(lambda r: made.digits(r, 6, "12345678"), _NONE, ("邮编",)), (lambda r: f"{made.digits(r, 5)}", _NONE, ("zip_code",)),
                 (lambda r: f"{made.letters(r, 2, 'ABCDEGHLMN')}{r.integers(1, 30)} {r.integers(1, 9)}{made.letters(r, 2, 'ABDEFGHJLNPQRSTUWXYZ')}", _LOT, ("postcode", "c26"))],
}  # fmt: skip
"""By kind: for each way of writing it how a valid one and a decoy are made, and the names of columns with it (`c01`: says nothing)."""

DECOYS: dict[str, Make] = {
    "order_no": lambda r: made.broken(lambda q: "62" + (b := made.digits(q, 13)) + luhn.calc_check_digit("62" + b))(r),
    "订单号": made.bad_chinese_id,
    "serial": lambda r: made.digits(r, 10, "123456789"),
    "tracking": lambda r: f"SF{made.digits(r, 13)}",
    "batch": lambda r: made.digits(r, 11, "2345"),
    "product_name": made.pick("Wireless Mouse,Leather Jacket,Green Tea,Rose Wine,Jordan Shoes,Coffee Table,Garden Chair,Steel Bottle,Running Shoes,Silk Scarf,Amber Lamp,Oak Desk,USB Cable,Phone Case,Water Filter,Baby Monitor,Desk Lamp,Olive Oil"),
    "商品名称": made.pick("无线鼠标,羽绒服,绿茶,运动鞋,保温杯,洗衣液,电饭煲,蓝牙耳机,平板电脑,空气净化器,马克杯,白酒,黄油饼干,牛奶,花生油,金龙鱼,高压锅,童装,毛巾,方便面"),
    "item": made.pick("Wireless Mouse,Leather Jacket,Green Tea,Rose Wine,Coffee Table,Garden Chair,Steel Bottle,Running Shoes,Silk Scarf,Oak Desk,USB Cable"),
    "品类": made.pick("牛奶,白酒,金融,家具,家电,水果,童装,毛巾,高中,黄金,石油,林业,农业,应用,时尚,安全,康复,汽车,包装,房产"),
    "city": made.pick("New York,Los Angeles,San Diego,Chicago,Houston,Austin,San Jose,Jackson,Paris,Florence,Fort Worth,Santa Fe,Baton Rouge,Salt Lake City"),
    "城市": made.pick("北京,上海,广州,深圳,杭州,成都,武汉,南京,西安,苏州,长沙,郑州,青岛,宁波,温州,常州,江门,黄石,安庆,阳江"),
    "company": made.pick("Acme Inc,Globex Corporation,Smith & Sons Ltd,Initech LLC,Umbrella Group,Stark Industries,Wayne Bank,Hooli Inc,Vandelay Industries"),
    "公司": made.pick("腾云科技有限公司,华光集团,安达物流,高远贸易有限公司,金石投资,万通地产,康宁药业"),
    "title": made.pick("Sales Manager,Software Engineer,Data Analyst,Account Director,Office Clerk,Project Manager,Staff Nurse"),
    "status": made.pick("active,inactive,pending,closed,on hold"),
    "备注": made.pick("已发货,待付款,加急处理,客户要求尽快,已退款,无,联系不上,质量良好"),
    "comment": made.pick("Delivered on time,Please call back later,Customer was happy,Wrong size sent,No remarks,Refund issued"),
    "amount": lambda r: f"{r.lognormal(5, 1):.2f}",
    "quantity": lambda r: str(r.integers(1, 500)),
    "score": lambda r: f"{r.uniform(0, 1):.4f}",
    "order_date": lambda r: made.date(r, 2019, 2025),
    "created": lambda r: f"2024-0{r.integers(1, 9)}-1{r.integers(0, 9)} {r.integers(10, 23)}:{r.integers(10, 59)}:00",
    "sku": lambda r: f"{made.letters(r, 2)}-{made.digits(r, 5)}",
    "uuid": lambda r: "-".join(f"{x:0{n}x}" for x, n in zip(r.integers(0, 16**4, 5), (8, 4, 4, 4, 12), strict=True)),
    "hash": lambda r: "".join(f"{x:02x}" for x in r.integers(0, 256, 16)),
    "version": lambda r: f"{r.integers(0, 9)}.{r.integers(0, 20)}.{r.integers(0, 99)}",
    "time": lambda r: f"{r.integers(0, 24):02d}:{r.integers(0, 60):02d}",
    "percent": lambda r: f"{r.uniform(0, 100):.1f}%",
    "department": made.pick("Sales,Marketing,Human Resources,Finance,Research,Legal"),
    "部门": made.pick("销售部,市场部,人事部,财务部,研发部,法务部"),
}  # fmt: skip
"""Columns that identify nobody."""


def made_columns(rows: int, seed: int = 0) -> list[MadeColumn]:
    """Every column of the made table.

    Args:
        rows: cells of each column.
        seed: of everything random.
    """
    random = np.random.default_rng(seed)
    columns = []
    for kind, ways in KINDS.items():
        for valid, decoy, names in ways:
            for name in names:
                right = random.random(rows) >= SHARE_OF_DECOYS
                cells = [valid(random) if good else decoy(random) for good in right]
                columns.append(MadeColumn(pl.Series(name, cells), kind, pl.Series(right)))
    for name, make in DECOYS.items():
        cells = [make(random) for _ in range(rows)]
        columns.append(MadeColumn(pl.Series(name, cells), None, pl.Series([False] * rows)))
    return columns
