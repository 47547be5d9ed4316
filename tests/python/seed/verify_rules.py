# วิธีแก้ไข: ตรวจสอบและปรับ metric collection settings
import requests

def verify_rollback_config():
    # ดึง config ปัจจุบัน
    response = requests.get(
        "https://api.holysheep.ai/v1/deploy/rollback-rules",
        headers={"Authorization": "Bearer YOUR_HOLYSHEEP_API_KEY"}
    )
    config = response.json()

    # ปรับ interval ให้ตรงกับ duration
    for rule in config["conditions"]:
        # แนะนำ: interval ควรเป็น 1/4 ของ duration
        recommended_interval = rule["duration_seconds"] / 4
        rule["check_interval_seconds"] = max(5, recommended_interval)

    # Update config
    update_response = requests.put(
        "https://api.holysheep.ai/v1/deploy/rollback-rules",
        headers={"Authorization": "Bearer YOUR_HOLYSHEEP_API_KEY"},
        json=config
    )
    print(f"Config updated: {update_response.json()}")
    return update_response.json()

verify_rollback_config()
