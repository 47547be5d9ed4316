import requests

# การตั้งค่า Canary Traffic Split 50:50 ระหว่าง GPT-4 และ GPT-4-Turbo
CANARY_CONFIG = {
    "endpoint": "https://api.holysheep.ai/v1/chat/completions",
    "api_key": "YOUR_HOLYSHEEP_API_KEY",
    "canary_rules": {
        "gpt-4-v1": 0.5,  # Version เก่า 50%
        "gpt-4-turbo-v2": 0.5  # Version ใหม่ 50%
    },
    "fallback_threshold": 0.05,  # Auto-rollback ถ้า error rate > 5%
    "latency_threshold_ms": 2000  # Auto-rollback ถ้า latency > 2 วินาที
}

def call_canary_endpoint(user_message: str):
    """เรียก API โดยระบบจะ auto-route ไป version ที่กำหนด"""
    headers = {
        "Authorization": f"Bearer {CANARY_CONFIG['api_key']}",
        "Content-Type": "application/json",
        "X-Canary-Version": "auto"  # สั่งให้ HolySheep จัดการ routing
    }
    payload = {
        "model": "gpt-4",
        "messages": [{"role": "user", "content": user_message}],
        "temperature": 0.7
    }
    response = requests.post(
        CANARY_CONFIG["endpoint"],
        headers=headers,
        json=payload,
        timeout=30
    )
    return response.json()

# ทดสอบการเรียก
result = call_canary_endpoint("อธิบายเรื่อง Canary Deployment")
print(f"Response: {result}")
